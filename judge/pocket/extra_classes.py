"""Things beyond Pocket's own, for its judges alone: to tell designs apart takes many designs, not many pictures of few.

Their names and groups are those of one icon set; the others are asked for the same names. Where two artists
drew all but the same picture, one of the two is left out, since as a pair it could be called neither same nor
different.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lorarar.pocket.art import ARTISTS, draw, draw_all, fetch
from lorarar.pocket.classes import CLASSES, Thing

NAMING = ARTISTS[0]  # whose names and groups are used
ASKED = tuple(artist for artist in ARTISTS if artist.name != "fluent-3d")  # which has the flat ones' outlines
GROUPS = ("Activities", "Animals & Nature", "Food & Drink", "Objects", "Travel & Places")
LEFT_OUT = ("clock", "button", "moon", "globe", "sign")  # drawn as faces with hands, letters or nearly alike
FEWEST = 3  # artists who drew a thing
ALIKE = 0.03  # mean difference, of 1, below which two drawings are the same one


def draw_more(folder: Path) -> dict[tuple[str, str], Image.Image]:
    """Pocket's designs and those of all other things, by ``(thing, artist)``, from npm packages below ``folder``."""
    designs, packages = draw_all(folder), {artist: fetch(artist, folder) for artist in ASKED}
    for thing in other_things(packages[NAMING]):
        drawn = {artist.name: draw(artist, thing, package) for artist, package in packages.items()}
        found = distinct({artist: design for artist, design in drawn.items() if design is not None})
        if len(found) >= FEWEST:
            designs |= {(thing.name, artist): design for artist, design in found.items()}
    return designs


def other_things(package: Path) -> Iterator[Thing]:
    """Things of the naming set's groups that are no class of Pocket's."""
    groups: Mapping[str, list[str]] = json.loads((package / "metadata.json").read_text())["categories"]
    known = {icon for thing in CLASSES for icon in thing.icons}
    for group in GROUPS:
        for name in sorted(groups[group]):
            icon = name.replace("-", "")
            if icon not in known and not any(word in name for word in LEFT_OUT):
                yield Thing(name.replace("-", " "), "", (icon,))


def distinct(designs: Mapping[str, Image.Image]) -> dict[str, Image.Image]:
    """One thing's designs by artist, without those that look like an earlier one."""
    kept: dict[str, Image.Image] = {}
    seen: list[NDArray[np.float32]] = []
    for artist, design in designs.items():
        small = _small(design)
        if all(np.abs(small - other).mean() > ALIKE for other in seen):
            kept[artist] = design
            seen.append(small)
    return kept


def _small(design: Image.Image) -> NDArray[np.float32]:
    ground = Image.new("RGBA", design.size, (128, 128, 128, 255))
    small = np.asarray(Image.alpha_composite(ground, design).convert("RGB").resize((24, 24)), np.float32)
    return small / np.float32(255)
