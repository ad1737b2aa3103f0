"""``lorarar train loras``"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.cli.console import BaseOption, JsonOption, PredictionOption, VaeOption, command, print_json, print_path
from lorarar.cli.help_pages import help_page
from lorarar.cli.one_lora import tell_lesson
from lorarar.cli.place_flags import PrecisionOption, TrainingDeviceOption
from lorarar.cli.train_flags import (
    DtypeOption,
    SampleEveryOption,
    SamplePromptOption,
    SideOption,
    check_samples,
    dtype_of,
    read_options,
)
from lorarar.cli.worker_flags import CpusOption, WorkersOption
from lorarar.families import DEFAULT_BASE
from lorarar.pictures.concept_table import Split, TableConcept, names_of, tables_in_words
from lorarar.training.place import TrainingPlace
from lorarar.util.errors import ImageError, TrainingError
from lorarar.util.formatting import count
from lorarar.util.messages import message
from lorarar.util.outputs import check_output_folder

if TYPE_CHECKING:
    from lorarar.training.lora_training import LoraTraining
    from lorarar.training.many_loras import TableOutcome, TableTraining


@help_page(
    "lorarar train loras concepts.toml --images photos -o loras --base sdxl",
    "lorarar train loras concepts.toml --images photos -o loras --base sdxl --workers auto",
)
@command
def loras(
    context: typer.Context,
    concepts: Annotated[
        str,
        typer.Argument(
            help=f"Table of contents and styles, or a shipped one: {tables_in_words()}.", metavar="CONCEPTS.toml"
        ),
    ],
    images: Annotated[
        Path, typer.Option("--images", help="Folder of pictures: contents/NAME and styles/NAME, each a folder or one.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the LoRAs, contents and styles apart.")],
    names: Annotated[
        str | None, typer.Option("--names", help="These alone, like dog-1,glowing.", show_default="all")
    ] = None,
    split: Annotated[Split | None, typer.Option("--split", help="This split alone.", show_default="all")] = None,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out those that have no pictures, instead of stopping.")
    ] = False,
    base: BaseOption = DEFAULT_BASE,
    vae: VaeOption = None,
    prediction: PredictionOption = None,
    side: SideOption = None,
    device: TrainingDeviceOption = None,
    precision: PrecisionOption = None,
    dtype: DtypeOption = "float16",
    sample_every: SampleEveryOption = None,
    sample_prompt: SamplePromptOption = None,
    workers: WorkersOption = None,
    cpus_per_worker: CpusOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a LoRA for each concept of a table; killed and started again, it goes on inside the one it was at.

    Those that are there, made by the same pictures, prompt and options, are not made again; one that fails stops no
    other. The result is what lorarar bench run and lorarar train hypernet read.
    """
    from lorarar.families import find_base
    from lorarar.generation.base_digest import pinned
    from lorarar.pictures.concept_table import read_table, select
    from lorarar.training.lora_training import LoraTraining
    from lorarar.training.many_loras import train_table
    from lorarar.training.many_loras_by_crew import train_table_by
    from lorarar.training.optimisers import check_optimiser
    from lorarar.training.options import LORA
    from lorarar.training.setup import load_for_training
    from lorarar.workers.hiring import hired

    options, place, numbers = read_options(LORA, context), TrainingPlace(device, precision), dtype_of(dtype)
    check_samples(sample_every, sample_prompt)
    check_output_folder(out)
    rows = select(read_table(concepts), None if names is None else names_of(names), split)
    model = pinned(find_base(base, vae=vae, prediction=prediction))
    like = LoraTraining(
        out=out,
        lessons={},
        options=options,
        base=model,
        side=side,
        dtype=numbers,
        sample_every=sample_every,
        sample_prompt=sample_prompt,
    )
    trainings = _with_pictures(rows, images, like, skip_missing)
    if workers is not None or cpus_per_worker is not None:
        with hired(workers, cpus_per_worker) as crew:
            assert crew is not None, "workers were asked for"
            _finish(train_table_by(crew, trainings, place), trainings, as_json, at_once=crew.size)
        return
    accelerator = place.accelerator()
    check_optimiser(options.optimiser, accelerator.device)
    coming = train_table(trainings, accelerator, lambda: load_for_training(model, accelerator))
    _finish(coming, trainings, as_json, is_main=accelerator.is_main_process)


def _finish(
    coming: Iterable[TableOutcome],
    trainings: Sequence[TableTraining],
    as_json: bool,
    *,
    at_once: int = 1,
    is_main: bool = True,
) -> None:
    """Tell outcomes as they come, and show them all, in the table's order.

    Raises:
        TrainingError: some failed.
    """
    outcomes: list[TableOutcome] = []
    for outcome in coming:
        outcomes.append(outcome)
        if is_main:
            _tell(outcomes, len(trainings), at_once)
    places = {row.training.out: place for place, row in enumerate(trainings)}
    outcomes.sort(key=lambda outcome: places[outcome.path])
    if is_main:
        _show(outcomes, as_json)
    if failed := [outcome.concept.name for outcome in outcomes if outcome.error]:
        raise TrainingError(
            f"{len(failed)} of {len(outcomes)} LoRAs failed ({', '.join(failed)}), as said above; run it again to "
            "train them alone"
        )


def _with_pictures(
    rows: Iterable[TableConcept], images: Path, like: LoraTraining, skip_missing: bool
) -> list[TableTraining]:
    """The trainings of a table's rows; those that have no pictures are said, each in a line.

    Raises:
        ImageError: some have none and are not to be left out, or none has any; or a caption cannot be read.
    """
    from lorarar.training.many_loras import TableTraining

    places, absent = dict[TableConcept, Path](), []
    for row in rows:
        try:
            places[row] = row.pictures_in(images)
        except ImageError as error:
            absent.append(row)
            message(f"{row.name}: {error}", "yellow")
    if absent and not (skip_missing and places):
        example = absent[0]
        place = images / example.side / example.images
        raise ImageError(
            f"{len(absent)} of {len(absent) + len(places)} concepts have no pictures in {images}, as said above, "
            f"and nothing was trained; accepted for {example.name} is a folder of pictures {place}, or one picture "
            f"{place}.png; --skip-missing leaves them out"
        )
    trainings = [TableTraining.of(row, place, like.out, like) for row, place in places.items()]
    for training in trainings:
        tell_lesson(places[training.concept], training.lesson, plain_too=False)
    return trainings


def _tell(outcomes: Sequence[TableOutcome], total: int, at_once: int) -> None:
    """Say what came of the last row, how far the run is, and how long the rest may take, so many at a time."""
    outcome, done = outcomes[-1], len(outcomes)
    seconds = [one.seconds for one in outcomes if one.new]
    if outcome.error:
        message(f"{outcome.concept.name}: {outcome.error}", "red")
    elif outcome.new and done < total:
        minutes = round(sum(seconds) / len(seconds) * -(-(total - done) // at_once) / 60)
        message(f"{done} of {total} LoRAs are done; about {count(max(1, minutes), 'minute')} for the others")


def _show(outcomes: Sequence[TableOutcome], as_json: bool) -> None:
    """Say where the LoRAs are."""
    if as_json:
        print_json([outcome.record() for outcome in outcomes])
        return
    sound = [outcome for outcome in outcomes if not outcome.error]
    new = sum(outcome.new for outcome in sound)
    message(f"{new} trained, {len(sound) - new} were there already")
    for outcome in sound:
        print_path(outcome.path)
