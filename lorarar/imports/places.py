"""Which seed each picture of an import is shown by: what is said, else what its file notes, else a number.

A cell holds one picture of a seed. Of two for which a manifest or a path says the same one, the first is taken. Notes
decide only where they tell a cell's pictures apart, which those of one batch do not, and where all methods have the
same ones for a subject in a style: methods are compared seed by seed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import count

from lorarar.imports.left_out import LeftOut
from lorarar.imports.sound import SoundPicture
from lorarar.store.cells import Place
from lorarar.util.grouping import group_by

Cells = Mapping[tuple[str, str, str], Sequence[SoundPicture]]  # of one subject in one style, by method


def places_of(
    pictures: Sequence[SoundPicture], taken: Collection[Place], left_out: LeftOut
) -> dict[Place, SoundPicture]:
    """The pictures by where they are shown, those that share a place with an earlier one counted and left out.

    Args:
        pictures: of an import, in order.
        taken: places that other pictures have; what is numbered leaves them alone.
        left_out: where pictures without a place are counted.
    """
    places: dict[Place, SoundPicture] = {}
    for one in pictures:
        if one.picture.seed is None:
            continue
        if (place := Place(*one.picture.cell, one.picture.seed)) in places:
            left_out.add("another picture has their method, subject, style and seed", one.picture.where)
        else:
            places[place] = one
    rest = [one for one in pictures if one.picture.seed is None]
    for members in group_by(rest, lambda one: one.picture.cell[1:]).values():
        cells = group_by(members, lambda one: one.picture.cell)
        places |= _noted(cells, {*taken, *places}) or _numbered(cells, {*taken, *places})
    return places


def _noted(cells: Cells, taken: Collection[Place]) -> dict[Place, SoundPicture]:
    """The places of a pair's pictures by the seeds that they note; none where these cannot decide."""
    seeds = [[one.note.seed for one in members] for members in cells.values()]
    if any(None in own or len({*own}) < len(own) or {*own} != {*seeds[0]} for own in seeds):
        return {}
    places = {Place(*cell, one.note.seed or 0): one for cell, members in cells.items() for one in members}
    return {} if places.keys() & taken else places


def _numbered(cells: Cells, taken: Collection[Place]) -> dict[Place, SoundPicture]:
    """The places of a pair's pictures by the numbers from 0 that are free in their cells."""
    places: dict[Place, SoundPicture] = {}
    for cell, members in cells.items():
        free = (place for number in count() if (place := Place(*cell, number)) not in taken)
        places |= zip(free, members, strict=False)
    return places
