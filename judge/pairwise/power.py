"""What pairs can find out, said before they are asked."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Any

from lorarar.util.formatting import count
from lorarar.util.statistics.power import SIZES, USUAL, least_effect, pairs_needed

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
        return cls(pairs, least_effect(pairs), pairs_needed(SMALL))

    @property
    def sentence(self) -> str:
        """What can be told apart, and what it would take for less."""
        pairs = count(self.pairs, "subject-style pair")
        if self.effect is None:
            told = f"with {pairs}, no two methods are told apart"
        else:
            told = f"with {pairs}, {USUAL:.0%} of runs tell two methods apart that differ by {_odds(self.effect)}"
        if self.needed is not None and self.pairs >= self.needed:
            return f"{told} (docs/judge.md)"
        needed = f"more than {SIZES[-1]}" if self.needed is None else f"some {self.needed}"
        return f"{told}; {_odds(SMALL)} takes {needed} pairs (docs/judge.md)"

    def record(self) -> dict[str, Any]:
        """The power as JSON has it."""
        return {"pairs": self.pairs, "effect": self.effect, "effect_needed_for": SMALL, "pairs_needed": self.needed}


def _odds(effect: float) -> str:
    return f"{effect:g} logits ({exp(effect):.3g} wins for each loss)"
