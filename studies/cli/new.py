"""``lorarar study new``"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from lorarar.cli.console import DbOption, JsonOption, SeedOption, command, one_of, print_json, print_text
from lorarar.cli.help_pages import help_page
from lorarar.store.command_line import command_line
from lorarar.util.errors import reason
from lorarar.util.formatting import count
from lorarar.util.messages import message
from studies.cli.list_studies import facts
from studies.cli.options import NameArgument, open_store
from studies.cli.rule_options import (
    ExcludeSmallPicturesOption,
    FinishedOnlyOption,
    LeastRepeatsAlikeOption,
    LeastSecondsOption,
    MarginOption,
    MostFailedChecksOption,
    PairingOption,
    PrimaryOption,
)
from studies.errors import StudyError
from studies.rules import PAIRINGS, Pairing, StudyRules

if TYPE_CHECKING:
    from lorarar.util.statistics.power import Power
    from studies.store import Study


@help_page("lorarar study new dogs --kind ab --methods direct,lorarar --plan quick")
@command
def new(
    name: NameArgument,
    kind: Annotated[str, typer.Option("--kind", help="ab: which of two pictures; absolute: what one picture shows.")],
    methods: Annotated[str, typer.Option("--methods", help="Rows of a plan, separated by commas.", metavar="A,B")],
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
    attention: Annotated[int | None, typer.Option("--attention", help="Attention checks.", show_default="2")] = None,
    tie: Annotated[str, typer.Option("--tie", help="Word for neither: Comparable, Similar, …")] = "Comparable",
    instruction: Annotated[
        Path | None, typer.Option("--instruction", help="Text file to read first.", show_default="the paper's words")
    ] = None,
    consent: Annotated[Path | None, typer.Option("--consent", help="Text file to agree to.")] = None,
    critic: Annotated[
        str | None,
        typer.Option(
            "--critic", help="Whose verdicts best goes by.", show_default="the latest that knows the pictures"
        ),
    ] = None,
    images: Annotated[
        str, typer.Option("--images", help="Only these of the database: plan=quick, demo=…, style=…", metavar="FILTER")
    ] = "",
    plan: Annotated[str | None, typer.Option("--plan", help="Short for --images plan=TITLE.", metavar="TITLE")] = None,
    most_failed_checks: MostFailedChecksOption = None,
    least_seconds: LeastSecondsOption = None,
    least_repeats_alike: LeastRepeatsAlikeOption = None,
    exclude_small_pictures: ExcludeSmallPicturesOption = False,
    finished_only: FinishedOnlyOption = False,
    margin: MarginOption = None,
    primary: PrimaryOption = "",
    pairing: PairingOption = "independent",
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw a study from the database, and say what it can find out before anybody votes."""
    from studies.creation.create import StudyRequest, new_study
    from studies.power import study_powers

    request = StudyRequest(
        name=name,
        kind=cast('Literal["ab", "absolute"]', one_of("--kind", kind, ("ab", "absolute"), StudyError)),
        methods=tuple(part.strip() for part in methods.split(",") if part.strip()),
        scenario=cast('Literal["random", "best"]', one_of("--scenario", scenario, ("random", "best"), StudyError)),
        items=items,
        seed=seed,
        repeats=repeats,
        attention=attention,
        tie=tie,
        critic=critic,
        images=",".join(filter(None, (images, plan and f"plan={plan}"))),
        instruction=_text(instruction),
        consent=_text(consent),
        rules=StudyRules(
            most_failed_checks=most_failed_checks,
            least_seconds=least_seconds,
            least_repeats_alike=least_repeats_alike,
            exclude_small_pictures=exclude_small_pictures,
            finished_only=finished_only,
            margin=margin,
            primary=primary,
            pairing=cast(Pairing, one_of("--pairing", pairing, PAIRINGS, StudyError)),
        ),
    )
    with open_store(db) as store:
        study = new_study(store, request)
    powers = study_powers(study)
    if as_json:
        print_json(facts(study) | {"power": [vars(power) for power in powers]})
    else:
        _describe(study, powers)
        print_text(study.name)


def _text(path: Path | None) -> str | None:
    """Read a text file; None where none is named.

    Raises:
        StudyError: it cannot be read.
    """
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"cannot read {path}: {reason(error)}") from None


def _describe(study: Study, powers: Sequence[Power]) -> None:
    """Say what a new study asks of a rater, and what it can find out."""
    from studies.creation.create import LEAST_PAIRS
    from studies.power import StudySize, power_sentence

    counts, drawing = facts(study), study.drawing
    message(
        f"{count(study.item_count, 'item')} over {len(study.pairs)} of {count(drawing.pairs, 'subject-style pair')}, "
        f"{counts['repeats']} of them shown again, {count(len(study.checks), 'attention check')} and one item for "
        f"practice: {counts['trials']} trials a rater, some {count(max(1, round(counts['trials'] * 8 / 60)), 'minute')}"
    )
    if drawing.identical:
        message(f"{count(drawing.identical, 'comparison')} left out: both pictures are the same", "yellow")
    if study.rules.pairing == "seed":
        but = f", but for {count(drawing.unpaired, 'item')}, which found none in common" if drawing.unpaired else ""
        message(f"Pictures of one seed are compared{but}")
    if not study.checks:
        message("No attention check: no rater who clicks blindly can be told from one who looks", "yellow")
    if study.judge:
        message(f"Accepted by {study.judge['critic']}, asked {study.judge['prompts']}")
        if branded := study.judge.get("brand"):
            message(str(branded), "yellow")
    message(f"Fixed before voting: {'; '.join(study.rules.words)}")
    message(power_sentence(study, powers))
    if StudySize.of_study(study).pairs < LEAST_PAIRS:
        message(f"Of fewer than {LEAST_PAIRS} pairs nothing can be told from chance", "yellow")
    run, export = f"lorarar study run {study.name}", f"lorarar study export {study.name} -o {study.name}.zip"
    message(f"Next: {command_line(run)}, or {command_line(export)}")
