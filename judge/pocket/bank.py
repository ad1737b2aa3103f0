"""Labelled pictures for Pocket's judges: which design, which look, as painted and as the VAE gives them back.

The critic, CLIP and DINO learn from these alone. As the base's pictures they leave out the designs of
validation and test subjects and every look near a held-out one. Every look is painted on many designs
and every design in many looks, so that either can be told apart from the other.
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
from lorarar.pocket.painters import Look, paint
from lorarar.pocket.pictures import FAMILIES, SIDE, Designs, plain, random_ground, random_look, random_pose
from lorarar.pocket.zoo import STYLES, held_out_designs

LOOKS, THINGS, PLAIN = 28, 24, 8  # looks of a family, designs painted in a look, plain pictures of a design


@dataclass(frozen=True)
class Bank:
    """Pictures with their labels, index by index."""

    pixels: NDArray[np.uint8]  # (N, SIDE, SIDE, 3), as painted
    decoded: NDArray[np.uint8]  # the same through the VAE: what generated pictures look like at best
    designs: NDArray[np.int64]  # (N,) one number for each (class, artist)
    classes: NDArray[np.int64]  # (N,) into CLASS_NAMES
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


@dataclass(frozen=True)
class _Job:
    """A look with the designs it is painted on; look 0 is plain, of one design."""

    look: int
    family: int
    knobs: Look | None
    designs: Sequence[tuple[int, str, Image.Image]]  # number, class, drawing
    seed: tuple[int, int]


def paint_bank(designs: Designs, seed: int, processes: int = 2) -> Bank:
    """All pictures, not yet decoded."""
    banned, rng = held_out_designs(), np.random.default_rng((seed, 11))
    allowed = [(key, design) for key, design in sorted(designs.items(), key=lambda item: item[0]) if key not in banned]
    drawings = [(number, name, design) for number, ((name, _), design) in enumerate(allowed)]
    jobs = [_Job(0, 0, None, [drawing], (seed, drawing[0])) for drawing in drawings]
    for family, name in enumerate(FAMILIES[1:], start=1):
        own = [style.look for style in STYLES if style.family == name and style.split == "train"]
        looks = own + [random_look(rng, name) for _ in range(LOOKS - len(own))]
        for look in looks:
            chosen = [drawings[k] for k in rng.choice(len(drawings), THINGS, replace=False)]
            number = len(jobs) - len(drawings) + 1
            jobs.append(_Job(number, family, look, chosen, (seed, len(jobs))))
    with Pool(processes) as pool:
        rows = [row for part in pool.imap(_paint, jobs, chunksize=4) for row in part]
    pixels, labels = np.stack([row[0] for row in rows]), np.array([row[1:] for row in rows])
    knobs = np.array([(0.0,) * 5, *(job.knobs.knobs() for job in jobs if job.knobs)])
    designs_, classes, families, looks_ = (np.ascontiguousarray(labels[:, k]) for k in range(4))
    return Bank(pixels, pixels, designs_, classes, families, looks_, knobs)


def _paint(job: _Job) -> list[tuple[NDArray[np.uint8], int, int, int, int]]:
    rng = np.random.default_rng(job.seed)
    rows = []
    for number, name, design in job.designs:
        for _ in range(PLAIN if job.knobs is None else 1):
            if job.knobs is None:
                picture = plain(design, random_pose(rng), random_ground(rng))
            else:
                picture = paint(FAMILIES[job.family], place(design, random_pose(rng)), job.knobs, SIDE)
            rows.append((np.asarray(picture), number, CLASS_NAMES.index(name), job.family, job.look))
    return rows
