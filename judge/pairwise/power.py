"""What pairs can find out, said before they are asked."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Any

from lorarar.util.formatting import count
from lorarar.util.statistics.power import SIZES, USUAL, items_needed, least_effect

SMALL = 0.5  # log odds, the effect that studies are planned for


@dataclass(frozen=True)
class PairPower:
    """The power of so many subject-style pairs; a pair's pictures are not independent, so they count as one."""

    pairs: int
    effect: float | None  # log odds that four of five runs of this size find; None: more than any that is looked at
    needed: int | None  # pairs in which four of five runs find ``SMALL``; None: more than any number looked at

    @classmethod
    def of(cls, pairs: int) -> PairPower:
        """The power of so many pairs, by simulated choices."""
        return cls(pairs, least_effect(pairs), items_needed(SMALL))

    @property
    def sentence(self) -> str:
        """What can be told apart, and what it would take for less."""
        told = "no difference that is usual" if self.effect is None else f"a difference of {_odds(self.effect)}"
        needed = f"more than {SIZES[-1]}" if self.needed is None else f"some {self.needed}"
        pairs = count(self.pairs, "subject-style pair")
        enough = self.needed is not None and self.pairs >= self.needed
        more = "" if enough else f"; {_odds(SMALL)} takes {needed}"
        return f"{pairs} of two methods tell apart {told} in {USUAL:.0%} of runs{more} (docs/judge.md)"

    def record(self) -> dict[str, Any]:
        """The power as JSON has it."""
        return {"pairs": self.pairs, "effect": self.effect, "effect_needed_for": SMALL, "pairs_needed": self.needed}


def _odds(effect: float) -> str:
    return f"{effect:g} logits ({exp(effect):.3g} wins for each loss)"
