"""Concepts that Pocket has not: three things that are drawn here, two looks, and a LoRA of each from a single picture.

Their classes are in no caption of Pocket's and their designs by none of its artists: the base and the hypernetwork know
neither, and the critic has seen no picture of them. The looks are new parameters of families that the base knows; of
such alone the true pictures of cells can be painted.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from lorarar.pocket.art import SIZE
from lorarar.pocket.concepts import Style, Subject
from lorarar.pocket.stages.loras import CONTENT, STYLE
from lorarar.pocket.styles import StyleParams
from lorarar.pocket.zoo import ZooConcept, ZooGroup
from lorarar.util.files import CHECKPOINT, replacing

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from lorarar.training.options import LoraOptions

ARTIST = "lorarar"
QUICK_STEPS = 2
SECONDS = "seconds.json"  # of a LoRA of each side, in the folder of the concepts
Box = tuple[int, int, int, int]

STYLES = (
    Style("cyberpunk", "glowing 3d rendering", StyleParams.from_knobs((0.86, 0.85, 0.9, 0.3, 0.15)), ("lamp", ARTIST)),
    Style(
        "pop art", "flat cartoon illustration", StyleParams.from_knobs((0.16, 0.9, 0.2, 0.9, 0.15)), ("lamp", ARTIST)
    ),
)
SUBJECTS = tuple(Subject(name, name, ARTIST) for name in ("toaster", "tv", "sofa"))


def new_contents() -> tuple[str, ...]:
    """The names of the new subjects."""
    return tuple(subject.slug for subject in SUBJECTS)


def new_styles() -> tuple[str, ...]:
    """The names of the new styles."""
    return tuple(style.slug for style in STYLES)


def ready_concepts(request: PaperRequest) -> Path:
    """The folder of the new concepts with their LoRAs, trained now where they are not there.

    Raises:
        TrainingError, AdapterError: a LoRA cannot be trained or written.
    """
    from lorarar.pocket.shipped import PIPELINE
    from lorarar.training.place import TrainingPlace
    from lorarar.training.setup import load_for_training

    folder = request.out / f"concepts{'-quick' if request.quick else ''}"
    accelerator = TrainingPlace(request.device, None).accelerator()
    groups = groups_of(folder, quick=request.quick)
    for group in groups.values():
        group.paint()
    missing = {side: group for side, group in groups.items() if not group.is_there(accelerator)}
    if missing:
        pipeline, seconds = load_for_training(PIPELINE, accelerator), _seconds(folder)
        for side, group in missing.items():
            started = time.perf_counter()
            group.run(pipeline, accelerator)
            seconds[side] = (time.perf_counter() - started) / len(group)
        with replacing(folder / SECONDS) as partial:
            partial.write_text(json.dumps(seconds))
    return folder


def lora_seconds(request: PaperRequest) -> dict[str, float]:
    """How long a LoRA of each side took when it was trained."""
    return _seconds(request.out / f"concepts{'-quick' if request.quick else ''}")


def _seconds(folder: Path) -> dict[str, float]:
    path = folder / SECONDS
    return dict(json.loads(path.read_text())) if path.is_file() else {}


def groups_of(folder: Path, *, quick: bool) -> dict[str, ZooGroup]:
    """The concepts of each side, trained together by the recipe of Pocket's own LoRAs, of one picture each."""
    designs = {subject.design: _draw(subject.class_name) for subject in SUBJECTS}
    designs[STYLES[0].design] = _draw("lamp")

    def group(side: str, concepts: Sequence[Subject] | Sequence[Style], recipe: LoraOptions) -> ZooGroup:
        options = replace(recipe, steps=QUICK_STEPS) if quick else recipe
        members = (ZooConcept.of(concept, designs, folder) for concept in concepts)
        single = tuple(replace(one, pictures=one.pictures[:1]) for one in members)
        return ZooGroup(single, options, folder / f"{side}{CHECKPOINT}")

    return {"contents": group("contents", SUBJECTS, CONTENT), "styles": group("styles", STYLES, STYLE)}


def _draw(name: str) -> Image.Image:
    """A design of ours: an RGBA picture of an object in a few shapes."""
    canvas = Image.new("RGBA", (SIZE, SIZE))
    pen = ImageDraw.Draw(canvas)
    for box, colour, radius in SHAPES[name]:
        pen.rounded_rectangle(box, radius, fill=colour, outline="#22252b", width=2)
    return canvas


#: Rounded boxes of each object, back to front: their corners in pixels of 128, their colours and their radii.
SHAPES: dict[str, tuple[tuple[Box, str, int], ...]] = {
    "toaster": (
        ((40, 16, 84, 60), "#d99a4e", 8),
        ((14, 44, 110, 104), "#c9d2d8", 16),
        ((26, 56, 92, 62), "#5a636b", 3),
        ((26, 72, 92, 78), "#5a636b", 3),
        ((104, 60, 120, 72), "#e0483e", 4),
        ((22, 102, 38, 112), "#3a3f46", 3),
        ((86, 102, 102, 112), "#3a3f46", 3),
    ),
    "tv": (
        ((44, 6, 50, 30), "#8a8f98", 2),
        ((78, 6, 84, 30), "#8a8f98", 2),
        ((10, 26, 118, 102), "#8b4a2b", 10),
        ((20, 36, 88, 92), "#7fd1e8", 12),
        ((96, 42, 110, 54), "#f2d04b", 6),
        ((96, 62, 110, 74), "#f2d04b", 6),
        ((30, 102, 42, 120), "#4a2b18", 2),
        ((86, 102, 98, 120), "#4a2b18", 2),
    ),
    "sofa": (
        ((20, 30, 108, 84), "#3fa56b", 14),
        ((24, 64, 64, 92), "#57c585", 8),
        ((64, 64, 104, 92), "#57c585", 8),
        ((6, 52, 28, 100), "#2f8453", 10),
        ((100, 52, 122, 100), "#2f8453", 10),
        ((14, 98, 24, 114), "#6b4a2b", 2),
        ((104, 98, 114, 114), "#6b4a2b", 2),
    ),
    "lamp": (
        ((36, 10, 92, 56), "#f4c542", 14),
        ((60, 54, 68, 104), "#8c6b4f", 2),
        ((40, 102, 88, 118), "#6d5138", 6),
    ),
}
