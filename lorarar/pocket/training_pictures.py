"""The base model's training pictures: every allowed design, plain and with random parameters of every style family.

A picture is labelled by class and style family, or none; captions follow from that. One seed decides everything, so
the pictures of a recipe are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lorarar.pocket.art import Designs
from lorarar.pocket.canvas import WHITE, Colour, Pose, flat, hsv, over, place
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.concepts import held_out_designs, held_out_params
from lorarar.pocket.styles import STYLE_FUNCTIONS, StyleParams, apply_style

STYLE_FAMILIES = ("", *STYLE_FUNCTIONS)  # labels; "" is a plain picture
PLAIN_PICTURES, STYLED_PICTURES = 10, 5  # of a design: plain ones, and those of each style family
SIDE = 64
APART = 0.12  # smallest distance, in the most different knob, to held-out parameters


@dataclass(frozen=True)
class TrainingPictures:
    """Pictures with their labels, index by index."""

    pixels: NDArray[np.uint8]  # (N, SIDE, SIDE, 3)
    classes: NDArray[np.int64]  # (N,) into CLASS_NAMES
    families: NDArray[np.int64]  # (N,) into STYLE_FAMILIES

    def save(self, path: Path) -> None:
        """Write to an uncompressed npz file."""
        np.savez(path, pixels=self.pixels, classes=self.classes, families=self.families)

    @classmethod
    def load(cls, path: Path) -> TrainingPictures:
        """Read what ``save`` wrote."""
        with np.load(path) as data:
            return cls(data["pixels"], data["classes"], data["families"])


def caption(class_name: str, family: str) -> str:
    """The base's caption: ``a dog`` or ``a dog in oil painting style``."""
    return f"a {class_name} in {family} style" if family else f"a {class_name}"


def plain_picture(design: Image.Image, pose: Pose, ground: Colour, side: int = SIDE) -> Image.Image:
    """A design as its artist drew it, on a ground of one colour."""
    placed = place(design, pose)
    colour = np.clip(over(placed.colour, placed.alpha, flat(ground)), 0, 1)
    return Image.fromarray((colour * 255).round().astype(np.uint8)).resize((side, side), Image.Resampling.BOX)


def random_pose(rng: np.random.Generator) -> Pose:
    """The artist's own pose in half of all pictures; else a little smaller, turned, shifted, sometimes mirrored."""
    if rng.random() < 0.5:
        return Pose()
    dx, dy = rng.integers(-5, 6, 2)
    return Pose(bool(rng.random() < 0.4), float(rng.uniform(0.84, 1)), float(rng.uniform(-9, 9)), (int(dx), int(dy)))


def random_ground(rng: np.random.Generator) -> Colour:
    """White in half of all pictures, else a pastel."""
    return WHITE if rng.random() < 0.5 else hsv(float(rng.random()), 0.25, 0.95)


def random_params(rng: np.random.Generator, family: str) -> StyleParams:
    """Parameters that are not near any held-out ones of the family."""
    while True:
        params = StyleParams.from_knobs(rng.random(5))
        if all(distance(params, other) > APART for other in held_out_params(family)):
            return params


def distance(one: StyleParams, other: StyleParams) -> float:
    """Difference of the most different knob; hue is a circle."""
    gaps = [abs(a - b) for a, b in zip(one.knobs(), other.knobs(), strict=True)]
    return max(min(gaps[0], 1 - gaps[0]), *gaps[1:])


def make_training_pictures(designs: Designs, seed: int, processes: int = 2) -> TrainingPictures:
    """All training pictures of the base."""
    held_out = held_out_designs()
    jobs = [
        (class_name, design, (seed, number))
        for number, ((class_name, artist), design) in enumerate(sorted(designs.items(), key=lambda item: item[0]))
        if (class_name, artist) not in held_out
    ]
    with Pool(processes) as pool:
        rows = [row for part in pool.imap(_rows_of_design, jobs, chunksize=4) for row in part]
    pixels, classes, families = zip(*rows, strict=True)
    return TrainingPictures(np.stack(pixels), np.asarray(classes), np.asarray(families))


def _rows_of_design(job: tuple[str, Image.Image, tuple[int, int]]) -> list[tuple[NDArray[np.uint8], int, int]]:
    class_name, design, seed = job
    rng = np.random.default_rng(seed)
    label = CLASS_NAMES.index(class_name)
    return [(np.asarray(picture), label, family) for family, picture in _pictures_of_design(design, rng)]


def _pictures_of_design(design: Image.Image, rng: np.random.Generator) -> Iterator[tuple[int, Image.Image]]:
    for _ in range(PLAIN_PICTURES):
        yield 0, plain_picture(design, random_pose(rng), random_ground(rng))
    for number, family in enumerate(STYLE_FAMILIES[1:], start=1):
        for _ in range(STYLED_PICTURES):
            yield number, apply_style(family, place(design, random_pose(rng)), random_params(rng, family), SIDE)
