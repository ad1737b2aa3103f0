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
    from lorarar.pictures.folders import find_images
    from lorarar.training.lora import Lesson, train_lora
    from lorarar.training.makings import lesson_facts, recorded_facts, training_makings
    from lorarar.training.options import options_facts
    from lorarar.training.setup import load_for_training, native_side

    checkpoint, model = checkpoint_of(out), pinned(base)
    references = {name: (find_images(folder), prompt) for name, (folder, prompt) in concepts.items()}
    for name, (files, prompt) in references.items():
        _tell_lesson(concepts[name][0], len(files), prompt)
    accelerator = place.accelerator()
    inputs = {name: lesson_facts(*reference) for name, reference in references.items()}
    makings = training_makings(inputs, options, model, accelerator, side)
    pipeline = load_for_training(model, accelerator)
    side = side or native_side(pipeline)
    lessons = [Lesson.read(files, prompt, side) for files, prompt in references.values()]
    adapter = train_lora(
        pipeline,
        lessons,
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


def _tell_lesson(folder: Path, pictures: int, prompt: str) -> None:
    """Say what is taken of a folder of pictures, and that its sub-folders and other files are not."""
    from lorarar.pictures.folders import look_into

    inside = look_into(folder) if folder.is_dir() else None
    beside = f" without its {count(len(inside.folders), 'sub-folder')}" if inside and inside.folders else ""
    rest = f"; {inside.left_out}" if inside and inside.others else ""
    message(f"{count(pictures, 'picture')} of {folder}{beside}: {prompt!r}{rest}")
