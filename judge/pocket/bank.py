"""Labelled pictures for Pocket's judges: which design, which look, as painted and as a generator might give them.

The critic, CLIP and DINO learn from these alone. As the base's pictures they leave out the designs of
validation and test subjects and every look near a held-out one. Every look is painted on many designs
and every design in several looks, so that either can be told apart from the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lorarar.pocket.canvas import place
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.concepts import STYLES, held_out_designs
from lorarar.pocket.styles import Look, paint
from lorarar.pocket.training_pictures import FAMILIES, SIDE, Designs, plain, random_ground, random_look, random_pose

LOOKS, THINGS = 28, 64  # looks of a family, designs painted in a look
PLAIN, PLAIN_OTHER = 8, 3  # plain pictures of a design of Pocket's own classes, and of another
OWN = 0.15  # share of a look's designs that are of Pocket's own classes


@dataclass(frozen=True)
class Bank:
    """Pictures with their labels, index by index."""

    pixels: NDArray[np.uint8]  # (N, SIDE, SIDE, 3), as painted
    decoded: NDArray[np.uint8]  # the same from blurred latents of the VAE: flawed as generated pictures are
    designs: NDArray[np.int64]  # (N,) one number for each (class, artist)
    classes: NDArray[np.int64]  # (N,) into CLASS_NAMES, and above its length for things of the judges' alone
    families: NDArray[np.int64]  # (N,) into FAMILIES; 0 is plain
    looks: NDArray[np.int64]  # (N,) one number for each look, 0 for plain
    knobs: NDArray[np.float64]  # (looks + 1, 5), the first row of no meaning

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
        """The rows of Pocket's own classes, those with words."""
        return np.flatnonzero(self.classes < len(CLASS_NAMES))


@dataclass(frozen=True)
class _Drawn:
    """A design with its labels."""

    number: int
    class_number: int
    design: Image.Image


@dataclass(frozen=True)
class _Job:
    """A look with the designs it is painted on; look 0 is plain, of one design."""

    look: int
    family: int
    knobs: Look | None
    designs: Sequence[_Drawn]
    seed: tuple[int, int]


def paint_bank(designs: Designs, seed: int, processes: int = 2) -> Bank:
    """All pictures, not yet decoded."""
    rng = np.random.default_rng((seed, 11))
    drawn = _numbered(designs)
    jobs = [_Job(0, 0, None, [one], (seed, one.number)) for one in drawn]
    looks = [(family, look) for family in range(1, len(FAMILIES)) for look in _looks(FAMILIES[family], rng)]
    for number, (family, look) in enumerate(looks, start=1):
        jobs.append(_Job(number, family, look, _some(drawn, rng), (seed, len(jobs))))
    with Pool(processes) as pool:
        rows = [row for part in pool.imap(_paint, jobs, chunksize=4) for row in part]
    pixels, labels = np.stack([row[0] for row in rows]), np.array([row[1:] for row in rows])
    knobs = np.array([(0.0,) * 5, *(look.knobs() for _, look in looks)])
    numbers, classes, families, look_numbers = (np.ascontiguousarray(labels[:, k]) for k in range(4))
    return Bank(pixels, pixels, numbers, classes, families, look_numbers, knobs)


def _numbered(designs: Designs) -> list[_Drawn]:
    """The designs that may be seen, Pocket's own classes first."""
    banned = held_out_designs()
    others = sorted({name for name, _ in designs} - set(CLASS_NAMES))
    class_of = {name: number for number, name in enumerate((*CLASS_NAMES, *others))}
    keys = sorted((key for key in designs if key not in banned), key=lambda key: (class_of[key[0]], key[1]))
    return [_Drawn(number, class_of[key[0]], designs[key]) for number, key in enumerate(keys)]


def _looks(family: str, rng: np.random.Generator) -> list[Look]:
    own = [style.look for style in STYLES if style.family == family and style.split == "train"]
    return own + [random_look(rng, family) for _ in range(LOOKS - len(own))]


def _some(drawn: Sequence[_Drawn], rng: np.random.Generator) -> list[_Drawn]:
    """Designs for a look, Pocket's own more often than there are of them."""
    own = [one for one in drawn if one.class_number < len(CLASS_NAMES)]
    others = drawn[len(own) :]
    few = THINGS if not others else round(OWN * THINGS)
    chosen = [own[k] for k in rng.choice(len(own), few, replace=False)]
    return chosen + [others[k] for k in rng.choice(len(others), THINGS - few, replace=False)]


def _paint(job: _Job) -> list[tuple[NDArray[np.uint8], int, int, int, int]]:
    rng = np.random.default_rng(job.seed)
    rows = []
    for one in job.designs:
        plain_ones = PLAIN if one.class_number < len(CLASS_NAMES) else PLAIN_OTHER
        for _ in range(plain_ones if job.knobs is None else 1):
            if job.knobs is None:
                picture = plain(one.design, random_pose(rng), random_ground(rng))
            else:
                picture = paint(FAMILIES[job.family], place(one.design, random_pose(rng)), job.knobs, SIDE)
            rows.append((np.asarray(picture), one.number, one.class_number, job.family, job.look))
    return rows
