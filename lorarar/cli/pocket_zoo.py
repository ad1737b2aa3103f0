"""``lorarar pocket zoo``"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import SeedOption, command, print_path
from lorarar.cli.help_pages import help_page
from lorarar.cli.place_flags import PocketPrecisionOption, TrainingDeviceOption
from lorarar.training.place import TrainingPlace
from lorarar.util.formatting import count
from lorarar.util.messages import message
from lorarar.util.outputs import check_output_folder


@help_page("lorarar pocket zoo --subjects 16 --styles 16 -o zoo")
@command
def zoo(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of the zoo.")] = Path("pocket-build/zoo"),
    subjects: Annotated[int, typer.Option("--subjects", help="How many content LoRAs.", min=1)] = 112,
    styles: Annotated[int, typer.Option("--styles", help="How many style LoRAs.", min=1)] = 112,
    work: Annotated[Path, typer.Option("--work", help="Folder for the art.")] = Path("pocket-build"),
    device: TrainingDeviceOption = None,
    precision: PocketPrecisionOption = "no",
    seed: SeedOption = 0,
) -> None:
    """Train Pocket LoRAs of many more subjects and styles, for hypernetworks to learn from; it goes on where it was.

    None of them is measured on, or near one that is. lorarar train hypernet reads OUT/contents and OUT/styles.
    """
    check_output_folder(out)
    check_output_folder(work, option="--work")
    from lorarar.pocket.art import fetch_designs
    from lorarar.pocket.shipped import PIPELINE
    from lorarar.pocket.zoo import zoo_groups
    from lorarar.training.setup import load_for_training

    accelerator = TrainingPlace(device, precision).accelerator()
    groups = zoo_groups(fetch_designs(work / "art"), out, subjects, styles, seed)
    for group in groups:
        group.paint()
    missing = [group for group in groups if not group.is_there(accelerator)]
    message(f"{subjects} subjects and {styles} styles; {count(sum(map(len, missing)), 'LoRA')} to train")
    pipeline, started = load_for_training(PIPELINE, accelerator) if missing else None, time.perf_counter()
    for number, group in enumerate(missing, start=1):
        group.run(pipeline, accelerator)
        rest = missing[number:]
        share = sum(one.work for one in rest) / sum(one.work for one in missing[:number])
        minutes = round((time.perf_counter() - started) * share / 60)
        message(f"{count(sum(map(len, rest)), 'LoRA')} to train, about {count(minutes, 'minute')}")
    print_path(out)
