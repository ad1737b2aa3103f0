"""The bank: labelled pictures for Pocket's judges, as painted and as a generator might give them.

The critic, CLIP and DINO learn from these alone. As the base's pictures they leave out the designs of
validation and test subjects and all parameters near held-out ones. A *look* is a style family with parameters. Every
look is put on many designs and every design in several looks, so that either can be told apart from the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lorarar.pocket.art import Designs
from lorarar.pocket.canvas import place
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.concepts import STYLES, held_out_designs
from lorarar.pocket.styles import StyleParams, apply_style
from lorarar.pocket.training_pictures import (
    SIDE,
    STYLE_FAMILIES,
    plain_picture,
    random_ground,
    random_params,
    random_pose,
)

LOOKS_OF_FAMILY, DESIGNS_OF_LOOK = 28, 128
PLAIN_PICTURES, PLAIN_PICTURES_OF_EXTRA = 8, 3  # of a design of Pocket's own classes, and of another
OWN = 0.25  # share of a look's designs that are of Pocket's own classes


@dataclass(frozen=True)
class Bank:
    """Pictures with their labels, index by index."""

    pixels: NDArray[np.uint8]  # (N, SIDE, SIDE, 3), as painted
    decoded: NDArray[np.uint8]  # the same from blurred latents of the VAE: flawed as generated pictures are
    designs: NDArray[np.int64]  # (N,) one number for each (class, artist)
    classes: NDArray[np.int64]  # (N,) into CLASS_NAMES, and above its length for extra classes, the judges' alone
    families: NDArray[np.int64]  # (N,) into STYLE_FAMILIES; 0 is plain
    looks: NDArray[np.int64]  # (N,) one number for each look; 0 is plain
    knobs: NDArray[np.float64]  # (looks + 1, 5), each look's parameters; the first row means nothing
    class_names: NDArray[np.str_]  # of the numbers in ``classes``

    def save(self, path: Path) -> None:
        """Write to one npz file."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Bank:
        """Read what ``save`` wrote."""
        with np.load(path) as data:
            return cls(**{field.name: data[field.name] for field in fields(cls)})

    @property
    def own(self) -> NDArray[np.int64]:
        """The rows of Pocket's own classes, which alone have captions."""
        return np.flatnonzero(self.classes < len(CLASS_NAMES))


@dataclass(frozen=True)
class _LabelledDesign:
    """A design with its labels."""

    number: int
    class_number: int
    design: Image.Image

    @property
    def own(self) -> bool:
        """Whether it is of a class of Pocket's own."""
        return self.class_number < len(CLASS_NAMES)


@dataclass(frozen=True)
class _Job:
    """A look with the designs it is put on; look 0 is plain, of one design."""

    look: int
    family: int
    params: StyleParams | None  # None: plain
    designs: Sequence[_LabelledDesign]
    seed: tuple[int, int]


def make_bank(designs: Designs, seed: int, processes: int | None = None) -> Bank:
    """Paint all pictures of the bank, on all cores by default; ``decoded`` holds them too until it is filled."""
    rng = np.random.default_rng((seed, 11))
    class_names = _class_names(designs)
    labelled = _label(designs, class_names)
    jobs = [_Job(look=0, family=0, params=None, designs=[design], seed=(seed, design.number)) for design in labelled]
    looks = [(k, params) for k in range(1, len(STYLE_FAMILIES)) for params in _looks_of(STYLE_FAMILIES[k], rng)]
    for number, (family, params) in enumerate(looks, start=1):
        chosen = _designs_for_look(labelled, rng)
        jobs.append(_Job(look=number, family=family, params=params, designs=chosen, seed=(seed, len(jobs))))
    with Pool(processes) as pool:
        rows = [row for part in pool.imap(_rows_of_job, jobs, chunksize=4) for row in part]
    pixels, labels = np.stack([row[0] for row in rows]), np.array([row[1:] for row in rows])
    numbers, classes, families, look_numbers = (np.ascontiguousarray(labels[:, k]) for k in range(4))
    return Bank(
        pixels=pixels,
        decoded=pixels,
        designs=numbers,
        classes=classes,
        families=families,
        looks=look_numbers,
        knobs=np.array([(0.0,) * 5, *(params.knobs() for _, params in looks)]),
        class_names=np.array(class_names),
    )


def _class_names(designs: Designs) -> tuple[str, ...]:
    """Pocket's own classes, then the others by name."""
    return (*CLASS_NAMES, *sorted({name for name, _ in designs} - set(CLASS_NAMES)))


def _label(designs: Designs, class_names: Sequence[str]) -> list[_LabelledDesign]:
    """Number and label the designs that are not held out, in the order of classes."""
    held_out = held_out_designs()
    class_of = {name: number for number, name in enumerate(class_names)}
    keys = sorted((key for key in designs if key not in held_out), key=lambda key: (class_of[key[0]], key[1]))
    return [_LabelledDesign(number, class_of[key[0]], designs[key]) for number, key in enumerate(keys)]


def _looks_of(family: str, rng: np.random.Generator) -> list[StyleParams]:
    """The parameters of a style family's looks: its training styles' first, then random ones."""
    own = [style.params for style in STYLES if style.family == family and style.split == "train"]
    return own + [random_params(rng, family) for _ in range(LOOKS_OF_FAMILY - len(own))]


def _designs_for_look(labelled: Sequence[_LabelledDesign], rng: np.random.Generator) -> list[_LabelledDesign]:
    """Designs for a look, Pocket's own more often than there are of them."""
    own = [design for design in labelled if design.own]
    others = labelled[len(own) :]
    own_count = DESIGNS_OF_LOOK if not others else round(OWN * DESIGNS_OF_LOOK)
    chosen = [own[k] for k in rng.choice(len(own), own_count, replace=False)]
    return chosen + [others[k] for k in rng.choice(len(others), DESIGNS_OF_LOOK - own_count, replace=False)]


def _rows_of_job(job: _Job) -> list[tuple[NDArray[np.uint8], int, int, int, int]]:
    """Each picture with the numbers of its design, class, style family and look."""
    rng = np.random.default_rng(job.seed)
    return [
        (np.asarray(picture), design.number, design.class_number, job.family, job.look)
        for design in job.designs
        for picture in _pictures(job, design, rng)
    ]


def _pictures(job: _Job, design: _LabelledDesign, rng: np.random.Generator) -> Iterator[Image.Image]:
    if job.params is not None:
        yield apply_style(STYLE_FAMILIES[job.family], place(design.design, random_pose(rng)), job.params, SIDE)
        return
    for _ in range(PLAIN_PICTURES if design.own else PLAIN_PICTURES_OF_EXTRA):
        yield plain_picture(design.design, random_pose(rng), random_ground(rng))
