"""The one table of heads. Nothing heavy loads with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from lorarar.lora.adapter import Part
    from lorarar.merging.head import Head

HeadName = Literal["columns", "ranks", "context", "balance"]
_PAPERS: tuple[Part, ...] = ("query", "output")
_ALL: tuple[Part, ...] = ("query", "key", "value", "output", "feed-forward")


@dataclass(frozen=True)
class HeadRow:
    """A head, with all that users are told of it."""

    name: HeadName
    words: str
    parts: tuple[Part, ...]  # that it predicts where nothing else is asked for
    place: str  # of its class, ``module:class``

    @property
    def kind(self) -> type[Head]:
        """Its class; torch loads with it."""
        kind: type[Head] = resolve_name(self.place)
        return kind


_HERE = "lorarar.merging.heads"
_ROWS = (
    HeadRow(
        "columns",
        "the paper's, a coefficient for each column from that column",
        _PAPERS,
        "lorarar.merging.hypernet:Hypernetwork",
    ),
    HeadRow(
        "ranks",
        "one for each rank component, from numbers that know no widths, so that one network is for any base",
        _ALL,
        f"{_HERE}.ranks:RankHead",
    ),
    HeadRow(
        "context",
        "as columns, but a column also sees the others of its layer",
        _PAPERS,
        f"{_HERE}.context:ContextHead",
    ),
    HeadRow(
        "balance",
        "two for each block group, of attention and of feed-forward layers, from the numbers of ranks",
        _ALL,
        f"{_HERE}.balance:BalanceHead",
    ),
)
HEADS: Mapping[str, HeadRow] = {row.name: row for row in _ROWS}
