"""One LoRA trained by a command."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.cli.console import print_path
from lorarar.util.errors import UsageError
from lorarar.util.formatting import count
from lorarar.util.messages import message

if TYPE_CHECKING:
    from lorarar.training.lesson_files import LessonFiles
    from lorarar.training.lora_training import LoraTraining
    from lorarar.training.place import TrainingPlace


def find_lessons(concepts: Mapping[str, tuple[Path, str]]) -> dict[str, LessonFiles]:
    """The pictures of each concept, a folder or a picture with its prompt; what is taken of a folder is said.

    Raises:
        UsageError: a prompt is empty.
        ImageError: there are none, or a caption cannot be read.
    """
    from lorarar.training.lesson_files import LessonFiles

    if blank := [place for place, prompt in concepts.values() if not prompt.strip()]:
        raise UsageError(f"the prompt of {blank[0]} is empty; accepted is what the pictures show, like 'a sks dog'")
    lessons = {name: LessonFiles.find(*concept) for name, concept in concepts.items()}
    for name, lesson in lessons.items():
        tell_lesson(concepts[name][0], lesson)
    return lessons


def train_one(training: LoraTraining, place: TrainingPlace) -> None:
    """Train a LoRA and print where it is."""
    from lorarar.training.optimisers import check_optimiser
    from lorarar.training.setup import load_for_training

    training.check()
    accelerator = place.accelerator()
    check_optimiser(training.options.optimiser, accelerator.device)
    makings = training.makings(accelerator)
    training.run(load_for_training(training.base, accelerator), accelerator, makings)
    if accelerator.is_main_process:
        print_path(training.out)


def tell_lesson(place: Path, lesson: LessonFiles, *, plain_too: bool = True) -> None:
    """Say what is taken of a folder of pictures, and that its sub-folders and other files are not.

    Args:
        place: the folder, or the one picture.
        lesson: what is taken of it.
        plain_too: say it also where all is taken, and nothing has a caption.
    """
    from lorarar.pictures.folders import look_into

    inside = look_into(place) if place.is_dir() else None
    beside = f" without its {count(len(inside.folders), 'sub-folder')}" if inside and inside.folders else ""
    captioned = f", {sum(map(bool, lesson.captions))} by captions of their own" if lesson.captions else ""
    rest = f"; {inside.left_out}" if inside and inside.others else ""
    if plain_too or beside or captioned or rest:
        message(f"{count(len(lesson.pictures), 'picture')} of {place}{beside}: {lesson.prompt!r}{captioned}{rest}")
