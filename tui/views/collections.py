"""Which collection the app shows: the chosen one, else the plan with the newest pictures."""

from __future__ import annotations

from collections.abc import Iterable

from lorarar.store.queries import Collection, CollectionSize


def shown_collection(sizes: Iterable[CollectionSize], chosen: Collection | None) -> Collection | None:
    """The collection to show; None where there are no pictures.

    Args:
        sizes: the collections that there are.
        chosen: by the user, or shown until now; it goes before all others as long as it is there.
    """
    sizes = list(sizes)
    if any(size.collection == chosen for size in sizes):
        return chosen
    newest = max(sizes, key=lambda size: (size.collection.kind == "plan", size.newest, size.collection), default=None)
    return newest.collection if newest else None
