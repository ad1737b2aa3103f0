"""Which seed each picture of an import is shown by: what is said, else what its file notes, else a number.

A cell holds one picture of a seed. Of two for which a manifest or a path says the same one, the first is taken. A note
decides only where all pictures of a cell that nothing else is said of have notes that differ: programs give one to all
pictures of a batch.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import count

from lorarar.imports.left_out import LeftOut
from lorarar.imports.sound import SoundPicture
from lorarar.store.cells import Place
from lorarar.util.grouping import group_by


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
    for cell, members in group_by(rest, lambda one: one.picture.cell).items():
        places |= _numbered(cell, members, {*taken, *places})
    return places


def _numbered(
    cell: tuple[str, str, str], members: Sequence[SoundPicture], taken: Collection[Place]
) -> Mapping[Place, SoundPicture]:
    """The places of a cell's pictures by the seeds of their notes, or by the numbers from 0 that are free."""
    noted = [Place(*cell, one.note.seed) for one in members if one.note.seed is not None]
    if len({*noted} - {*taken}) == len(members):
        return dict(zip(noted, members, strict=True))
    free = (place for number in count() if (place := Place(*cell, number)) not in taken)
    return dict(zip(free, members, strict=False))
