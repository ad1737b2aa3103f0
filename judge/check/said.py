"""What a critic said to one question, as statistics need it."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from judge.protocol import Answer

FLOOR = 1e-7  # of a probability: float32 has no finer steps near one


@dataclass(frozen=True)
class Said:
    """A verdict with the probability of Yes; both None where the question failed or was not parsed."""

    verdict: Answer = None
    probability: float | None = None

    @property
    def logit(self) -> float | None:
        """Log odds of Yes against No; None where a backend gives no probability."""
        if self.verdict is None or self.probability is None:
            return None
        chance = min(max(self.probability, FLOOR), 1 - FLOOR)
        return log(chance / (1 - chance))


NOTHING = Said()
