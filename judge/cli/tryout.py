"""``lorarar try``"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from judge.cli.pair_flags import (
    PairPromptOption,
    of_concepts,
    of_critics,
    of_methods,
    some_of,
    with_device,
)
from judge.default_judges import CRITIC
from lorarar.cli.admission_flags import AnywayOption, DropMissingOption
from lorarar.cli.concept_flags import given_pair
from lorarar.cli.console import (
    BaseOption,
    DbOption,
    DeviceOption,
    JsonOption,
    PredictionOption,
    SeedOption,
    VaeOption,
    command,
    prepare_images,
    print_json,
    print_path,
    seeds_from,
    show_images,
)
from lorarar.cli.drawing_flags import (
    OFFLOAD,
    DtypeOption,
    GuidanceOption,
    NegativeOption,
    SchedulerOption,
    SizeOption,
    StepsOption,
)
from lorarar.cli.flags import Flag, given_options, with_flags
from lorarar.cli.help_pages import MERGING, help_page
from lorarar.families import DEFAULT_BASE
from lorarar.generation.offload import Offload
from lorarar.util.errors import PlanError
from lorarar.util.formatting import count
from lorarar.util.messages import message
from lorarar.util.outputs import check_output_folder

if TYPE_CHECKING:
    from judge.judges import Judges
    from judge.tryout import TryoutResult
    from lorarar.bench.outcome import GridOutcome
    from lorarar.tryout.request import Tryout

JUDGING = "Judging, with --critic alone"


def tryout_flags() -> Iterator[Flag]:
    """The options of all methods, what is said of both LoRAs, and the critic with its settings."""
    yield from of_methods()
    yield from of_concepts()
    yield from of_critics(JUDGING)


@with_flags(tryout_flags)
@help_page(
    "lorarar try dog-8 oil-painting-2",
    'lorarar try dog.safetensors oil.safetensors --prompt "a sks dog in oil painting style" --base sdxl',
    panel=MERGING,
)
@command
def try_loras(
    context: typer.Context,
    content: Annotated[
        str,
        typer.Argument(help="Content LoRA: a file, or one of the base's own by name, like dog-8.", metavar="CONTENT"),
    ],
    style: Annotated[str, typer.Argument(help="Style LoRA, likewise.", metavar="STYLE")],
    prompt: PairPromptOption = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            help="Only by this method; may be given several times.",
            metavar="METHOD",
            show_default="all that need nothing but the files",
        ),
    ] = None,
    base: BaseOption = DEFAULT_BASE,
    vae: VaeOption = None,
    prediction: PredictionOption = None,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder of the sheet, the page, merged LoRAs and pictures.")
    ] = Path("out/try"),
    n: Annotated[int, typer.Option("-n", help="Pictures by each method.", min=1, max=100)] = 4,
    seed: SeedOption = 0,
    negative: NegativeOption = "",
    size: SizeOption = None,
    steps: StepsOption = None,
    guidance: GuidanceOption = None,
    scheduler: SchedulerOption = None,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    offload: Annotated[Offload | None, OFFLOAD] = None,
    anyway: AnywayOption = False,
    drop_missing: DropMissingOption = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Merge two LoRAs by every method that needs nothing but the files, and draw with each from the same seeds.

    The result is a sheet and a page with all side by side; what the other methods lack is said. Nothing is judged
    unless --critic names who does, for which both LoRAs need pictures. Started again, it goes on where it was.
    """
    from lorarar.families import find_base
    from lorarar.tryout.loras import find_pair

    check_output_folder(out)
    _ = find_pair(content, style, find_base(base, vae=vae, prediction=prediction))
    from judge.tryout import judge_tryout, read_tryout
    from lorarar.bench.run import run_plan
    from lorarar.store import Store
    from lorarar.tryout.request import TryoutRequest, plan_tryout

    given = given_options(context)
    judges = _judges(some_of(given, of_critics(JUDGING)), device)
    seeds = seeds_from(seed, n)
    prepare_images()
    request = TryoutRequest(
        content=content,
        style=style,
        prompt=prompt,
        given=given_pair(given),
        base=base,
        vae=vae,
        prediction=prediction,
        methods=method or (),
        options=some_of(given, of_methods()),
        seeds=seeds,
        pictures={
            "negative": negative,
            "size": size,
            "steps": steps,
            "guidance": guidance,
            "scheduler": scheduler,
            "device": device,
            "dtype": dtype,
            "offload": offload,
        },
        anyway=anyway,
        drop_missing=drop_missing,
        judged=judges is not None,
    )
    tryout = plan_tryout(request)
    _tell(tryout)
    with Store(db) as store:
        outcome = run_plan(tryout.plan, store, out)
    for failure in outcome.failures:
        message(failure, "red")
    result = judge_tryout(tryout, db, judges, outcome.failures) if judges else read_tryout(tryout, db, outcome.failures)
    if result is not None:
        _show(result, outcome, out, as_json)
    if outcome.failures:
        raise PlanError(f"{count(len(outcome.failures), 'method')} failed, as said above; the others are kept")


def _judges(given: dict[str, Any], device: str | None) -> Judges | None:
    """Who judges the pictures; None where nobody does.

    Raises:
        CriticError: there is no such critic, or it does not accept a setting.
        JudgeError: a setting is given, and no critic.
    """
    from judge.errors import JudgeError
    from judge.judges import name_judges

    if CRITIC not in given:
        if given:
            flag = f"--{next(iter(given)).replace('_', '-')}"
            raise JudgeError(f"{flag} is of a critic; name one with --critic, or leave it out: nothing is judged then")
        return None
    return name_judges(with_device(given, device))


def _tell(tryout: Tryout) -> None:
    """Say before the work what is not tried, and why."""
    from lorarar.tryout.rows import ignored_words, lacking_words

    for line in (*lacking_words(tryout.rows.lacking), *ignored_words(tryout.rows.ignored)):
        message(line, "yellow")


def _show(result: TryoutResult, outcome: GridOutcome, out: Path, as_json: bool) -> None:
    """Write the sheet and the page, and say where they are."""
    from lorarar.pictures.images import read_image

    sheet, page = result.write(out)
    show_images([read_image(sheet)], width=140)
    if as_json:
        print_json(result.record() | outcome.record() | {"sheet": str(sheet), "page": str(page)})
        return
    made = f"{outcome.generated} drawn, {outcome.existing + outcome.shared} were there"
    message(f"{count(len(result.pictures), 'picture')}: {made}; in the app and lorarar db: plan {result.tryout.title}")
    print_path(sheet)
    print_path(page)
