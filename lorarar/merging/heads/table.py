"""The one table of heads. Nothing heavy loads with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from lorarar.merging.head import Head

HeadName = Literal["columns", "context"]


@dataclass(frozen=True)
class HeadRow:
    """A head, with all that users are told of it."""

    name: HeadName
    words: str
    place: str  # of its class, ``module:class``

    @property
    def kind(self) -> type[Head]:
        """Its class; torch loads with it."""
        kind: type[Head] = resolve_name(self.place)
        return kind


_ROWS = (
    HeadRow(
        "columns",
        "the paper's, a coefficient for each column from that column",
        "lorarar.merging.hypernet:Hypernetwork",
    ),
    HeadRow(
        "context",
        "the same, but a column also sees the others of its layer",
        "lorarar.merging.heads.context:ContextHead",
    ),
)
HEADS: Mapping[str, HeadRow] = {row.name: row for row in _ROWS}
