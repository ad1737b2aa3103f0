"""What a search does next with the pictures that are left: new settings, or more pictures of the leading ones.

A search begins with some settings on a few cells each. Then rounds of new settings and rounds of more pictures take
turns: the leading half goes on to more cells and the others are left where they are, as in successive halving, so that
the last pictures are of the settings between which it is hard to choose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from judge.tuning.errors import TuningError
from lorarar.util.formatting import count

LEAST_STARTS, NEW = 3, 4  # settings that a search begins with; that a round of new ones has
LEADERS = (4, 2)  # that get more pictures, in two rounds one after the other; never more than half of all


@dataclass(frozen=True)
class SearchRound:
    """Rows to be drawn on the first cells of the search."""

    kind: Literal["start", "new", "more"]
    rows: tuple[str, ...]  # that get more pictures; of another round none, until its settings are chosen
    cells: int  # of each, those that are there already among them
    count: int = 0  # of settings that are not tried yet


@dataclass
class RoundPlanner:
    """Deals out pictures, round by round."""

    pictures: int  # of the whole search; more or fewer from one round to the next where time decides
    starts: int  # settings that there are to begin with
    cells: Callable[[int], int]  # how many a setting has that advanced so often
    counts: dict[str, int] = field(default_factory=dict)  # cells of each row so far
    _begun: int = 0  # settings that the search began with
    _turn: int = 0  # rounds after these
    _level: int = 1  # to which the leading rows have advanced

    @property
    def left(self) -> int:
        """Pictures that are not dealt out."""
        return self.pictures - sum(self.counts.values())

    @property
    def least(self) -> int:
        """The fewest pictures of a search: some settings to begin with, and more of the two best."""
        first, second = self.cells(1), self.cells(2)
        return first * LEAST_STARTS + (second - first) * LEADERS[-1]

    def check(self) -> None:
        """Refuse a search of too few pictures.

        Raises:
            TuningError: it is one; the message says how many are enough.
        """
        if self.pictures < self.least:
            few = count(self.pictures, "picture")
            raise TuningError(f"{few} is too little to search by; accepted is --pictures {self.least} or more")

    def next(self, best: Sequence[str]) -> SearchRound | None:
        """The next round, given the rows from the best on; None where the pictures are used up."""
        if beginning := self._beginning():
            return beginning
        kinds = (NEW, *LEADERS)
        for _ in range(2 * len(kinds)):  # where nothing is left for one kind of round, there may be for another
            turn, self._turn = self._turn % len(kinds), self._turn + 1
            made = self._new() if turn == 0 else self._more(best[: min(kinds[turn], max(2, (len(best) + 1) // 2))])
            if made is not None:
                return made
        return None

    def note(self, made: SearchRound, rows: Iterable[str]) -> None:
        """Note what a round drew."""
        for row in rows:
            self.counts[row] = max(self.counts.get(row, 0), made.cells)

    def _beginning(self) -> SearchRound | None:
        """The settings that a search begins with: of half its pictures, but for those that it began with already."""
        wanted = min(max(LEAST_STARTS, self.pictures // (2 * self.cells(1))), self.starts)
        more, self._begun = wanted - self._begun, max(wanted, self._begun)
        return SearchRound("start", (), self.cells(1), more) if more > 0 else None

    def _new(self) -> SearchRound | None:
        """New settings, where enough is left to find out which of them are good."""
        kept = (self.cells(2) - self.cells(1)) * sum(LEADERS)
        many = min(NEW, (self.left - kept) // self.cells(1))
        return SearchRound("new", (), self.cells(1), many) if many > 0 else None

    def _more(self, leading: Sequence[str]) -> SearchRound | None:
        """More pictures of the leading rows, of as many of them as can be had."""
        cells = self.cells(self._level + 1)
        for many in range(len(leading), 1, -1):
            rows = tuple(leading[:many])
            if sum(max(0, cells - self.counts.get(row, 0)) for row in rows) <= self.left:
                self._level += 1
                return SearchRound("more", rows, cells)
        return None
