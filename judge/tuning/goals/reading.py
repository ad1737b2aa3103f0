"""The pictures of a search's plans, as judges and metrics know them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from judge.tuning.merits import CellValue, SharedCell
from lorarar.store.opening import open_for_reading
from lorarar.util.grouping import group_by

if TYPE_CHECKING:
    from pathlib import Path

    from judge.targets import Target
    from judge.tuning.referee import Outcomes
    from lorarar.bench.plan import Plan
    from lorarar.store import Store


@contextmanager
def open_pictures(db: Path | None, plans: Iterable[Plan]) -> Iterator[tuple[Store, list[Target]]]:
    """Open the database to read it, with the pictures of these plans, each once.

    Raises:
        StoreError: it cannot be opened.
    """
    from judge.targets import target_of
    from lorarar.store.picture_references import ReferenceFinder
    from lorarar.store.queries import collection_pictures

    with open_for_reading(db) as store:
        with store.reading() as database:
            finder = ReferenceFinder(store.path, database)
            rows = [row for plan in plans for row in collection_pictures(database, plan.collection)]
        yield store, [target_of(row, finder) for row in rows]


def cell_of(target: Target) -> SharedCell:
    """The cell that a picture is of."""
    return SharedCell((target.subject, target.style), target.seed or 0)


def values_of(targets: Sequence[Target], values: Sequence[float | None]) -> list[CellValue]:
    """What pictures came to; those that came to nothing are left out."""
    return [
        CellValue(target.row, cell_of(target), value)
        for target, value in zip(targets, values, strict=True)
        if value is not None
    ]


def outcomes(values: Iterable[tuple[SharedCell, float]]) -> Outcomes:
    """Values by subject and style, in the order of seeds."""
    pairs = group_by(sorted(values), lambda item: item[0].pair)
    return {pair: [value for _, value in members] for pair, members in pairs.items()}


def differences(values: Iterable[CellValue], one: str, other: str) -> Outcomes:
    """By how much one row's values are above another's, on the cells that both have."""
    by_row: dict[str, dict[SharedCell, float]] = {one: {}, other: {}}
    for value in values:
        if value.row in by_row:
            by_row[value.row][value.cell] = value.value
    ours, theirs = by_row[one], by_row[other]
    return outcomes((cell, ours[cell] - theirs[cell]) for cell in ours if cell in theirs)
