"""Two methods beside each other on the same subjects and styles: what the matrix shows, without the widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lorarar.store.queries import Pair, PictureRow
from lorarar.util.formatting import count
from tui.snapshot import NO_PICTURES, Snapshot, VerdictTally
from tui.text import line

SIDES = ("left", "right")


@dataclass(frozen=True)
class TwoMethods:
    """A method on each side, and the subjects and styles that pass the filter."""

    snapshot: Snapshot
    methods: Mapping[str, str]  # by side
    contents: Sequence[str]
    styles: Sequence[str]
    best: bool  # MARS2's best case instead of the average
    how_to_judge: str = "lorarar judge run"  # the command, for a line that says nothing is judged

    def pictures(self, side: str, pair: Pair) -> Sequence[PictureRow]:
        """The pictures of a pair by a side's method, seed by seed."""
        return self.snapshot.cells.get((self.methods[side], *pair), [])

    def tally(self, side: str, pair: Pair) -> VerdictTally:
        """The verdicts on a pair's pictures by a side's method."""
        return self.snapshot.tallies.get((self.methods[side], *pair), NO_PICTURES)

    def nearest(self, pair: Pair | None) -> Pair | None:
        """The pair itself where it passes the filter, else the first that does; None where none does."""
        if pair is not None and pair[0] in self.contents and pair[1] in self.styles:
            return pair
        return (self.contents[0], self.styles[0]) if self.contents and self.styles else None

    def summary(self, pair: Pair | None) -> str:
        """A pair by both methods, in words."""
        if pair is None:
            return "nothing matches the filter"
        tallies = [self.tally(side, pair) for side in SIDES]
        parts = [
            f"{line(self.methods[side], 30)} {_counts(tally)}{self._left_out(side, pair)}"
            for side, tally in zip(SIDES, tallies, strict=True)
        ]
        left, right = (tally.score.average for tally in tallies)
        if left is not None and right is not None:
            parts.append(f"difference {left - right:+.2f}")
        if self.snapshot.judge is None:
            parts.append(f"not judged yet: {self.how_to_judge}")
        return f"{line(pair[0], 40)} in {line(pair[1], 40)}: {'; '.join(parts)}"

    def _left_out(self, side: str, pair: Pair) -> str:
        """How many of a side's pictures no figure counts, since their references are not where they were."""
        lost = sum(picture in self.snapshot.uncounted for picture in self.pictures(side, pair))
        return f" ({lost} in no figure: without references)" if lost else ""


def default_methods(names: Sequence[str], remembered: Mapping[str, str]) -> dict[str, str]:
    """Choose a method for each side: the remembered one where it exists, else LoRA.rar and direct, or the last two."""
    left, right = (remembered[side] for side in SIDES)
    if left not in names:
        left = "lorarar" if "lorarar" in names else names[-1]
    if right not in names:
        others = [name for name in names if name != left] or names
        right = "direct" if "direct" in others else others[-1]
    return {"left": left, "right": right}


def _counts(tally: VerdictTally) -> str:
    return f"{tally.correct} of {tally.judged} correct" if tally.judged else count(tally.pictures, "picture")
