"""How good settings are, by what few pictures of each came to.

Pictures of one cell (a subject, a style and a seed) begin with the same noise, and some cells are hard by any setting.
So a value is taken as what its cell adds, what its setting adds, and the rest: settings are compared on the cells that
they share, and none is blamed for a hard one that others were not drawn on. What a setting adds is drawn towards none
where its pictures are few, so that none leads by luck alone. How much settings vary beside the rest was measured on
judged pictures (docs/guides/tuning.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lorarar.store.queries import Pair

OF_SETTINGS = 0.75  # the variance of what settings add, beside that of the rest


class SharedCell(NamedTuple):
    """What settings are compared on."""

    pair: Pair  # a subject and a style
    seed: int


class CellValue(NamedTuple):
    """What a setting's picture of a cell came to; higher is better."""

    row: str
    cell: SharedCell
    value: float


@dataclass(frozen=True)
class Merit:
    """How good a setting is taken to be."""

    value: float  # higher is better
    pictures: int  # of it that count


def merits(values: Iterable[CellValue]) -> dict[str, Merit]:
    """How good each row is, the best first; of equally good ones the one that was drawn first."""
    values = list(dict.fromkeys(values))
    if not values:
        return {}
    rows, cells = list(dict.fromkeys(one.row for one in values)), list(dict.fromkeys(one.cell for one in values))
    of_rows = np.array([[one.row == row for row in rows] for one in values], float)
    of_cells = np.array([[one.cell == cell for cell in cells] for one in values], float)
    design = np.hstack([of_rows, of_cells])
    held = np.repeat([1 / OF_SETTINGS, 0.0], [len(rows), len(cells)])
    fitted = np.linalg.solve(design.T @ design + np.diag(held), design.T @ np.array([one.value for one in values]))
    usual = fitted[len(rows) :].mean()
    counts = of_rows.sum(axis=0)
    return in_order({row: Merit(float(usual + fitted[at]), int(counts[at])) for at, row in enumerate(rows)})


def in_order(merits: Mapping[str, Merit]) -> dict[str, Merit]:
    """Merits, the best first; of equally good ones in the order that they have."""
    return dict(sorted(merits.items(), key=lambda item: -round(float(item[1].value), 9)))
