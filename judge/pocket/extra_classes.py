"""Classes beyond Pocket's own, for its judges alone.

Telling designs apart is learnt from many of them, not from many pictures of few. Names and groups of the
classes are those of one icon set; the others are searched for the same names. Where two artists
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

from lorarar.pocket.art import ARTISTS, DesignKey, fetch_designs, fetch_package, read_design
from lorarar.pocket.classes import CLASSES, ObjectClass

NAMING_ARTIST = ARTISTS[0]  # whose names and groups are used
SEARCHED_ARTISTS = tuple(
    artist for artist in ARTISTS if artist.name != "fluent-3d"
)  # whose outlines are the flat ones'
GROUPS = ("Activities", "Animals & Nature", "Food & Drink", "Objects", "Travel & Places")
LEFT_OUT = ("clock", "button", "moon", "globe", "sign")  # drawn as faces with hands, letters or nearly alike
FEWEST_ARTISTS = 3  # of a class
ALIKE = 0.03  # mean difference, of 1, below which two designs are the same one


def fetch_more_designs(folder: Path) -> dict[DesignKey, Image.Image]:
    """Pocket's designs and those of the extra classes, from npm packages below ``folder``."""
    designs, packages = fetch_designs(folder), {artist: fetch_package(artist, folder) for artist in SEARCHED_ARTISTS}
    for extra in extra_classes(packages[NAMING_ARTIST]):
        candidates = {artist.name: read_design(artist, extra, package) for artist, package in packages.items()}
        different = distinct({artist: design for artist, design in candidates.items() if design is not None})
        if len(different) >= FEWEST_ARTISTS:
            designs |= {(extra.name, artist): design for artist, design in different.items()}
    return designs


def extra_classes(package: Path) -> Iterator[ObjectClass]:
    """The classes of the naming artist's groups that Pocket does not have."""
    groups: Mapping[str, list[str]] = json.loads((package / "metadata.json").read_text())["categories"]
    own_icons = {icon for row in CLASSES for icon in row.icons}
    for group in GROUPS:
        for name in sorted(groups[group]):
            icon = name.replace("-", "")
            if icon not in own_icons and not any(word in name for word in LEFT_OUT):
                yield ObjectClass(name.replace("-", " "), "", (icon,))


def distinct(designs: Mapping[str, Image.Image]) -> dict[str, Image.Image]:
    """One class's designs by artist, without those that look like an earlier one."""
    distinct_designs: dict[str, Image.Image] = {}
    earlier: list[NDArray[np.float32]] = []
    for artist, design in designs.items():
        small = _small(design)
        if all(np.abs(small - other).mean() > ALIKE for other in earlier):
            distinct_designs[artist] = design
            earlier.append(small)
    return distinct_designs


def _small(design: Image.Image) -> NDArray[np.float32]:
    ground = Image.new("RGBA", design.size, (128, 128, 128, 255))
    small = np.asarray(Image.alpha_composite(ground, design).convert("RGB").resize((24, 24)), np.float32)
    return small / np.float32(255)
