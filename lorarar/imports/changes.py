"""What an import changes in its collection, worked out from where pictures were and where they are to be."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from lorarar.store.cells import Place

Paths = Mapping[Place, str]  # by where it stands, a picture's path as the database has it


@dataclass(frozen=True)
class Changes:
    """How a collection differs after an import."""

    new: int  # pictures that it did not show
    moved: int  # that it showed in another cell
    gone: int  # that it showed and whose files are not there any more
    replaced: int  # of other imports, in whose place one of this stands now
    stale: Collection[Place] = field(repr=False)  # cells that go
    fresh: Collection[Place] = field(repr=False)  # cells that show another picture than before


def changes_of(before: Paths, after: Paths, others: Collection[Place]) -> Changes:
    """What changes.

    Args:
        before: what the collection showed.
        after: what the import shows.
        others: the places of other imports' pictures, which stay unless one of this import takes them.
    """
    former = {*before.values()}
    fresh = [place for place, path in after.items() if before.get(place) != path]
    new = sum(after[place] not in former for place in fresh)
    ours = {*after.values()}
    left = [place for place, path in before.items() if place not in others and after.get(place) != path]
    return Changes(
        new=new,
        moved=len(fresh) - new,
        gone=sum(before[place] not in ours for place in left),
        replaced=len({*others} & {*after}),
        stale=left,
        fresh=fresh,
    )
