"""One LoRA trained by a command, and written with what made it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lorarar import __version__
from lorarar.cli.console import print_path
from lorarar.cli.train_flags import checkpoint_of
from lorarar.util.formatting import count
from lorarar.util.messages import message

if TYPE_CHECKING:
    from lorarar.families import Base
    from lorarar.training.lesson_files import LessonFiles
    from lorarar.training.options import LoraOptions
    from lorarar.training.place import TrainingPlace


def train_one(
    concepts: Mapping[str, tuple[Path, str]],
    options: LoraOptions,
    out: Path,
    base: Base,
    side: int | None,
    place: TrainingPlace,
    provenance: Mapping[str, object],
) -> None:
    """Train a LoRA on concepts, folders of pictures with their prompts, and write it with what made it."""
    from lorarar.generation.base_digest import pinned
    from lorarar.lora.files import write_adapter
    from lorarar.pictures.captions import check_beside_no_caption
    from lorarar.training.lesson_files import LessonFiles
    from lorarar.training.lora import train_lora
    from lorarar.training.makings import recorded_facts, training_makings
    from lorarar.training.options import options_facts
    from lorarar.training.setup import load_for_training, native_side

    checkpoint, model = checkpoint_of(out), pinned(base)
    lessons = {name: LessonFiles.find(*concept) for name, concept in concepts.items()}
    for name, lesson in lessons.items():
        check_beside_no_caption(out, lesson.pictures)
        _tell_lesson(concepts[name][0], lesson)
    accelerator = place.accelerator()
    inputs = {name: lesson.facts() for name, lesson in lessons.items()}
    makings = training_makings(inputs, options, model, accelerator, side)
    pipeline = load_for_training(model, accelerator)
    side = side or native_side(pipeline)
    adapter = train_lora(
        pipeline,
        [lesson.read(side) for lesson in lessons.values()],
        options,
        checkpoint=checkpoint,
        makings=makings,
        accelerator=accelerator,
        title=out.stem,
    )
    if accelerator.is_main_process:
        source = {"base": model.name, "revision": model.revision, "version": __version__, "training": makings}
        source["recorded"] = recorded_facts(accelerator)
        write_adapter(adapter, out, {**provenance, **source, **options_facts(options)})
        checkpoint.unlink(missing_ok=True)
        print_path(out)


def _tell_lesson(place: Path, lesson: LessonFiles) -> None:
    """Say what is taken of a folder of pictures, and that its sub-folders and other files are not."""
    from lorarar.pictures.captions import caption_file
    from lorarar.pictures.folders import left_out, look_into

    inside = look_into(place) if place.is_dir() else None
    captions = {caption_file(picture) for picture, own in zip(lesson.pictures, lesson.captions, strict=False) if own}
    beside = f" without its {count(len(inside.folders), 'sub-folder')}" if inside and inside.folders else ""
    captioned = f", {sum(map(bool, lesson.captions))} by captions of their own" if captions else ""
    others = left_out(one for one in inside.others if one not in captions) if inside else ""
    rest = f"; {others}" if others else ""
    message(f"{count(len(lesson.pictures), 'picture')} of {place}{beside}: {lesson.prompt!r}{captioned}{rest}")
