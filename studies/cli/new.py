"""``lorarar study new``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from lorarar.cli.console import DbOption, JsonOption, SeedOption, command, message, one_of, print_json
from lorarar.util.errors import reason
from studies.cli.list_studies import facts
from studies.cli.options import NameArgument, open_store
from studies.errors import StudyError

if TYPE_CHECKING:
    from studies.store import Study

POWER_RATERS = (5, 10, 25, 50)


@command
def new(
    name: NameArgument,
    kind: Annotated[str, typer.Option("--kind", help="ab: which of two pictures; absolute: what one picture shows.")],
    methods: Annotated[str, typer.Option("--methods", help="Rows of a grid, separated by commas.", metavar="A,B")],
    scenario: Annotated[
        str, typer.Option("--scenario", help="random: any picture; best: one that MARS2 accepts.")
    ] = "random",
    items: Annotated[
        int | None, typer.Option("--items", help="Items to show.", show_default="one a subject-style pair, 25 at most")
    ] = None,
    seed: SeedOption = 0,
    repeats: Annotated[
        int | None, typer.Option("--repeats", help="Items shown again, sides swapped.", show_default="3")
    ] = None,
    attention: Annotated[int | None, typer.Option("--attention", help="Attention checks.", show_default="1")] = None,
    tie: Annotated[str, typer.Option("--tie", help="Word for neither: Comparable, Similar, …")] = "Comparable",
    instruction: Annotated[
        Path | None, typer.Option("--instruction", help="Text file to read first.", show_default="the paper's words")
    ] = None,
    consent: Annotated[Path | None, typer.Option("--consent", help="Text file to agree to.")] = None,
    critic: Annotated[
        str | None, typer.Option("--critic", help="Whose verdicts best goes by.", show_default="the latest")
    ] = None,
    plan: Annotated[
        str | None, typer.Option("--plan", help="The grid, where several have these methods.", metavar="TITLE")
    ] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw a study from the database, and say what it can find out before anybody votes."""
    from studies.create import Request, new_study
    from studies.statistics.power import power

    request = Request(
        name,
        cast('Literal["ab", "absolute"]', one_of("--kind", kind, ("ab", "absolute"), StudyError)),
        tuple(part.strip() for part in methods.split(",") if part.strip()),
        cast('Literal["random", "best"]', one_of("--scenario", scenario, ("random", "best"), StudyError)),
        items,
        seed,
        repeats,
        attention,
        tie,
        critic,
        plan,
        _text(instruction),
        _text(consent),
    )
    with open_store(db) as store:
        study = new_study(store, request)
    plain = study.design.count("plain")
    groups = max(1, len(methods_of(study))) if study.kind == "ab" else 1
    powers = [power(max(1, plain // groups), raters) for raters in POWER_RATERS] if study.kind == "ab" else []
    if as_json:
        print_json(facts(study) | {"power": [vars(one) for one in powers]})
    else:
        _describe_new(study, [(one.raters, one.share) for one in powers], plain // groups)
        print(study.name)


def _text(path: Path | None) -> str | None:
    """A file's text.

    Raises:
        StudyError: it cannot be read.
    """
    from studies.errors import StudyError

    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"cannot read {path}: {reason(error)}") from None


def _describe_new(study: Study, powers: list[tuple[int, float]], items: int) -> None:
    known = facts(study)
    pairs = len({(origin.subject, origin.style) for origin in study.origins if origin.subject})
    message(
        f"{known['items']} items over {pairs} subject-style pairs, {known['repeats']} of them shown again, "
        f"{known['attention']} attention checks and one item for practice: {known['trials']} trials a rater, "
        f"some {max(1, round(known['trials'] * 8 / 60))} minutes"
    )
    if study.judge:
        message(f"Accepted by {study.judge['critic']}, asked {study.judge['prompts']}")
    if powers:
        found = ", ".join(f"{share:.0%} with {raters} raters" for raters, share in powers)
        each = "Of each two methods, a" if len(study.methods) > 2 else "A"
        message(
            f"{each} preference of 0.5 logits (1.65 wins for each loss) is found in: {found}; assumed is how much "
            "items and raters usually differ (docs/studies.md). More items help more than more raters."
        )
    else:
        message(_said_correlation(items))
    message(f"Next: lorarar study run {study.name}, or lorarar study export {study.name} -o {study.name}.zip")


def _said_correlation(items: int) -> str:
    from studies.statistics.power import fisher_interval

    if items < 5:
        return f"With {items} items there is no correlation to speak of; 25 or more are customary."
    low, high = fisher_interval(0.76, items)
    return (
        f"With {items} items, a correlation of 0.76 has an interval of {low:.2f} to {high:.2f}; more items narrow it."
    )


def methods_of(study: Study) -> list[tuple[str, ...]]:
    """The groups of methods that a study's items show."""
    from studies.sampling import groups_of

    return groups_of(study.kind, study.methods)
