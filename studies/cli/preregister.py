"""``lorarar study preregister``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import DbOption, JsonOption, command, print_json, print_path
from lorarar.cli.help_pages import help_page
from lorarar.store import default_path
from lorarar.store.command_line import command_line
from lorarar.util.files import replacing
from lorarar.util.messages import message
from lorarar.util.outputs import check_output
from studies.cli.options import NameArgument, open_store
from studies.errors import StudyError


@help_page("lorarar study preregister dogs -o dogs.md --raters 10")
@command
def preregister(
    name: NameArgument,
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the page goes.", metavar="FILE.md")],
    raters: Annotated[int | None, typer.Option("--raters", help="How many are planned.", min=1)] = None,
    hypotheses: Annotated[
        list[str] | None,
        typer.Option(
            "--hypothesis",
            help="A sentence; may be repeated.",
            show_default="what methods and rules say",
            metavar="TEXT",
        ),
    ] = None,
    after_votes: Annotated[
        bool, typer.Option("--after-votes", help="Though people have voted, which is then said.")
    ] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register a study before anybody votes: a page, and a row by which the report says whether it kept to it."""
    from studies.preregistration import check_same
    from studies.preregistration import preregister as register
    from studies.preregistration_page import as_page
    from studies.store import StudyStore
    from studies.store.preregistration import preregistration_of

    check_output(out, ".md", inputs=[db or default_path()])
    with open_store(db) as store:
        study = StudyStore(store).get(name)
        registered = preregistration_of(store, study)
        if registered is not None:
            check_same(registered, raters, hypotheses or ())
            message(f"The study {name} was registered on {registered.day}; that is written again")
        elif raters is None:
            raise StudyError("--raters is missing: say how many raters are planned")
        else:
            registered = register(store, study, raters, hypotheses or (), after_votes=after_votes)
    try:
        with replacing(out) as partial:
            partial.write_text(as_page(registered), encoding="utf-8")
    except OSError as error:
        raise StudyError(f"cannot write {out}: {error.strerror or error}; it is registered, so try again") from None
    if as_json:
        print_json({"path": str(out), "digest": registered.digest} | registered.record())
    else:
        report = command_line(f"lorarar study report {name}")
        message(f"Registered as {registered.digest}; {report} says whether it was kept to")
        print_path(out)
