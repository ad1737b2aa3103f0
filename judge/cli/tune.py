"""``lorarar tune``"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from judge.cli.pair_flags import (
    PairPromptOption,
    of_concepts,
    of_critics,
    of_methods,
    some_of,
    with_device,
)
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
    print_json,
    print_path,
    print_text,
    seeds_from,
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
from lorarar.util.formatting import count
from lorarar.util.messages import message
from lorarar.util.outputs import check_output, check_output_folder

if TYPE_CHECKING:
    from judge.tuning.referee import Bench
    from judge.tuning.request import Tuning
    from judge.tuning.result import TuneResult

PEOPLE = "people"  # the goal that --human stands for
HELD, JUDGING = "Options of methods, held and not searched", "Judging"
ASKED = "Asking people, with --human"


def tune_flags() -> Iterator[Flag]:
    """The options of all methods, what is said of both LoRAs, and the critic with its settings."""
    yield from of_methods(HELD)
    yield from of_concepts()
    yield from of_critics(JUDGING)


@with_flags(tune_flags)
@help_page(
    "lorarar tune dog-8 oil-painting-2 --pictures 40",
    "lorarar tune dog.safetensors oil.safetensors --base sdxl --minutes 60 -o dog-in-oil.safetensors",
    "lorarar tune dog.safetensors oil.safetensors detail.safetensors --base sdxl --pictures 60",
    "lorarar tune contents styles --all --pictures 200 -o merged",
    "lorarar tune dog-8 oil-painting-2 --pictures 24 --human",
    panel=MERGING,
)
@command
def tune(
    context: typer.Context,
    content: Annotated[
        str,
        typer.Argument(
            help="Content LoRA: a file, or one of the base's own by name, like dog-8; with --all a folder of them.",
            metavar="CONTENT",
        ),
    ],
    style: Annotated[str, typer.Argument(help="Style LoRA, likewise.", metavar="STYLE")],
    more: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files of further LoRAs, which are merged with every pair, by methods that take them.",
            metavar="[MORE]...",
        ),
    ] = None,
    pictures: Annotated[
        int | None, typer.Option("--pictures", help="Search by so many pictures.", min=1, metavar="N")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", help="Search for so many minutes instead.", min=0.01, metavar="M")
    ] = None,
    goal: Annotated[
        str | None,
        typer.Option(
            "--goal",
            help="What is best: mars2, pairwise (of two pictures) or a metric by name.",
            metavar="GOAL",
            show_default="mars2",
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Search one setting for all pairs of two folders.")] = False,
    confirm: Annotated[
        int, typer.Option("--confirm", help="Fresh seeds that what leads is confirmed on.", min=1, max=100)
    ] = 8,
    prompt: PairPromptOption = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            help="Only this method; may be given several times.",
            metavar="METHOD",
            show_default="all that need nothing but the files",
        ),
    ] = None,
    base: BaseOption = DEFAULT_BASE,
    vae: VaeOption = None,
    prediction: PredictionOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="Where the merged LoRA goes; with --all a folder.",
            show_default="in --folder, by the search's name",
        ),
    ] = None,
    folder: Annotated[Path, typer.Option("--folder", help="Folder of the page and of pictures.")] = Path("out/tune"),
    seed: SeedOption = 0,
    negative: NegativeOption = "",
    size: SizeOption = None,
    steps: StepsOption = None,
    guidance: GuidanceOption = None,
    scheduler: SchedulerOption = None,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    offload: Annotated[Offload | None, OFFLOAD] = None,
    human: Annotated[
        bool, typer.Option("--human", help="People say which of two pictures is better.", rich_help_panel=ASKED)
    ] = False,
    raters: Annotated[
        int | None,
        typer.Option(
            "--raters",
            help="How many have to finish a round before the next.",
            min=1,
            show_default="1",
            rich_help_panel=ASKED,
        ),
    ] = None,
    simulate: Annotated[
        float | None,
        typer.Option(
            "--simulate",
            help="Let simulated raters vote, who see what MARS2 says through so much noise; never counted as people.",
            min=0,
            metavar="NOISE",
            rich_help_panel=ASKED,
        ),
    ] = None,
    anyway: AnywayOption = False,
    drop_missing: DropMissingOption = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search the method and its weights, mu or density for a pair of LoRAs, by pictures that are judged.

    Losers are stopped early; what leads is confirmed on seeds that the search did not see, beside the best plain
    method. The result is an ordinary merged LoRA that says how it was found, and a page with pictures. Started again,
    a search goes on where it was.
    """
    from judge.judges import name_judges
    from judge.tuning.errors import TuningError
    from judge.tuning.goals.table import goal_named
    from judge.tuning.referee import Bench
    from judge.tuning.request import TuneRequest, plan_tuning
    from lorarar.tryout.request import TryoutRequest

    given = given_options(context)
    critics = some_of(given, of_critics(JUDGING))
    judges = name_judges(with_device(critics, device))
    if not human and (raters is not None or simulate is not None):
        raise TuningError("--raters and --simulate go with --human")
    if human and goal is not None:
        raise TuningError("--goal and --human are both given; accepted is one of them")
    named = goal_named(PEOPLE if human else goal or "mars2")
    told = {"raters": raters or 1, "simulate": simulate} if human else {}
    _check_places(out, folder, every=every)
    request = TuneRequest(
        tryout=TryoutRequest(
            content=content,
            style=style,
            more=more or (),
            prompt=prompt,
            given=given_pair(given),
            base=base,
            vae=vae,
            prediction=prediction,
            methods=method or (),
            options=some_of(given, of_methods()),
            seeds=seeds_from(seed, confirm),
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
            judged=True,
        ),
        every=every,
        goal=named.name,
        pictures=pictures,
        minutes=minutes,
        confirm=confirm,
        facts={"critics": {name: str(value) for name, value in critics.items()}, **told},
    )
    tuning = plan_tuning(request)
    _tell(tuning)
    _work(tuning, Bench(db, judges, named.name, {**told, "title": tuning.title}), out, folder, as_json)


def _check_places(out: Path | None, folder: Path, *, every: bool) -> None:
    """Refuse places that cannot be written to, before anything is drawn."""
    check_output_folder(folder, option="--folder")
    if out is not None:
        _ = check_output_folder(out) if every else check_output(out, ".safetensors")


def _tell(tuning: Tuning) -> None:
    """Say before the work what is searched, and what is not."""
    from judge.tuning.rounds import LEAST_STARTS
    from lorarar.tryout.rows import lacking_words

    for line in lacking_words(tuning.lacking):
        message(line, "yellow")
    starts = tuning.space.starts
    message(f"Searched: {', '.join(tuning.space.methods)}, from {max(LEAST_STARTS, len(starts))} settings on")
    request = tuning.request
    if request.pictures is not None:
        pairs = tuning.confirmation_plan(starts[:1]).pair_count
        after = f"then {count(2 * pairs * request.confirm, 'picture')} or somewhat more to confirm"
        message(f"{count(request.pictures, 'picture')} to search by, {after}")


def _work(tuning: Tuning, bench: Bench, out: Path | None, folder: Path, as_json: bool) -> None:
    """Search, and write what came of it."""
    from judge.tuning.result import tune as search
    from lorarar.store import Store

    with Store(bench.db) as store:
        result = search(tuning, bench, store, folder)
        if isinstance(result, str):
            message(result, "yellow")
            if as_json:
                print_json({"title": tuning.title, "waits_for": result})
            return
        ending = "" if tuning.request.every else ".safetensors"
        files = result.write_merges(out or folder / f"{tuning.title}{ending}", store)
    _show(result, files, result.write_page(folder), as_json)


def _show(result: TuneResult, files: list[Path], page: Path, as_json: bool) -> None:
    """Say what came of a search, and where it is."""
    if as_json:
        print_json(result.record() | {"files": list(map(str, files)), "page": str(page)})
        return
    for sentence in result.sentences:
        print_text(sentence)
    message(f"As flags: {' '.join(result.confirmation.leader.flags)}")
    for file in files:
        print_path(file)
    print_path(page)
