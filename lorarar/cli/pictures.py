"""``lorarar pictures``: pictures of any program as a collection of the database."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lorarar.cli.console import DbOption, JsonOption, command, print_json, print_text
from lorarar.cli.help_pages import JUDGING, help_page
from lorarar.store.command_line import command_line
from lorarar.util.formatting import count, listed
from lorarar.util.messages import message
from lorarar.util.text import one_line

if TYPE_CHECKING:
    from lorarar.imports.keep import ImportOutcome
    from lorarar.imports.left_out import LeftOut

app = typer.Typer(
    no_args_is_help=True,
    rich_help_panel=JUDGING,
    help="Pictures of any program, to be judged, compared, shown and voted on.",
)


@app.callback()
def group() -> None:
    """Stand for the group, which would have no name with its one command alone."""


@app.command("import")
@help_page(
    "lorarar pictures import renders --name mine --references references",
    'lorarar pictures import renders --name mine --pattern "{method}/{subject}/{style}/{seed}.png"',
)
@command
def import_pictures(
    source: Annotated[
        Path, typer.Argument(help="Folder of pictures, or a manifest of them: .csv, .tsv, .jsonl.", metavar="DIR|FILE")
    ],
    title: Annotated[str, typer.Option("--name", help="Title of the collection.", metavar="TITLE")],
    pattern: Annotated[
        str | None,
        typer.Option(
            "--pattern",
            help='What a path below DIR says: "{method}/{subject}/{style}/{seed}.png"; * is anything within a name.',
            show_default="folders METHOD/SUBJECT/STYLE/, or SUBJECT/STYLE/",
        ),
    ] = None,
    method: Annotated[
        str, typer.Option("--method", help="Method of the pictures of which none is said.", metavar="NAME")
    ] = "pictures",
    references: Annotated[
        Path | None,
        typer.Option(
            "--references",
            help="Folder with subjects/SUBJECT/, styles/STYLE/ and perhaps styles.toml, or a manifest.",
            metavar="DIR|FILE",
        ),
    ] = None,
    references_pattern: Annotated[
        list[str] | None,
        typer.Option(
            "--references-pattern",
            help='What paths of other folders say: "{subject}/*", and once more "{style}.*".',
            metavar="PATTERN",
        ),
    ] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take pictures into the database as they lie, with their methods, subjects, styles, seeds and prompts.

    Once more it takes what is new or has changed. Columns of a manifest: path, method, subject, style, seed, prompt.
    """
    from lorarar.imports.left_out import LeftOut
    from lorarar.imports.request import ImportRequest
    from lorarar.imports.request import import_pictures as take

    left_out = LeftOut()
    request = ImportRequest(source, title, pattern, method, references, references_pattern or ())
    outcome = take(db, request, left_out)
    for line in left_out.lines():
        message(line, "yellow")
    if outcome.lacking:
        message(f"Pictures without references count in no figure; none are in {listed(outcome.lacking)}", "yellow")
    if as_json:
        print_json(_record(outcome, left_out))
    else:
        print_text(_summary(outcome))
    judge = f"lorarar judge run --images {quote(f'import={outcome.collection.name}')}"
    message(f"next: {command_line(judge)}")


def _summary(outcome: ImportOutcome) -> str:
    """What came of an import, in a line."""
    changes = {
        "new": outcome.changes.new,
        "changed": outcome.changed,
        "in another cell": outcome.changes.moved,
        "in place of others": outcome.changes.replaced,
        "gone": outcome.changes.gone,
    }
    words = ", ".join(f"{number} {what}" for what, number in changes.items() if number) or "all as they were"
    methods = list(dict.fromkeys(one_line(place.row) for place in outcome.pictures))
    subjects = count(len({place.content for place in outcome.pictures}), "subject")
    styles = count(len({place.style for place in outcome.pictures}), "style")
    in_all = "" if outcome.in_all == len(outcome.pictures) else f"; {outcome.in_all} in all"
    return (
        f"{outcome.collection.label}: {count(len(outcome.pictures), 'picture')} ({words}) of "
        f"{count(len(methods), 'method')} ({listed(methods, 6)}), {subjects}, {styles}; "
        f"{outcome.prompts} with a prompt{in_all}"
    )


def _record(outcome: ImportOutcome, left_out: LeftOut) -> dict[str, Any]:
    """The same for machines, with every name that is left out."""
    return {
        "collection": outcome.collection.label,
        "pictures": len(outcome.pictures),
        "new": outcome.changes.new,
        "known": len(outcome.pictures) - outcome.changes.new,
        "changed": outcome.changed,
        **{name: getattr(outcome.changes, name) for name in ("moved", "replaced", "gone")},
        "in_all": outcome.in_all,
        "prompts": outcome.prompts,
        "methods": sorted({place.row for place in outcome.pictures}),
        "subjects": sorted({place.content for place in outcome.pictures}),
        "styles": sorted({place.style for place in outcome.pictures}),
        "left_out": dict(left_out.names),
        "lacking_references": list(outcome.lacking),
    }
