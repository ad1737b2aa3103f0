"""How much of a run is left, in minutes: what is still to be drawn, judged and trained, at the pace so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from lorarar.bench.plan import Plan

Kind = Literal["drawing", "judging", "joint", "coefficients", "other"]
PAIR_TRAININGS: tuple[Kind, ...] = ("joint", "coefficients")  # what rows train for each pair
USUAL_STEPS = 25  # of a picture of Pocket
#: Seconds of one thing of each kind on two cores, until it is known how long it takes here: a picture of the usual
#: steps drawn, one judged with its metrics, a pair trained among others; "other" is in seconds as the items say them.
FIRST_GUESS: Mapping[Kind, float] = {
    "drawing": 0.5,
    "judging": 0.08,
    "joint": 24.0,
    "coefficients": 11.0,
    "other": 1.0,
}


def nothing() -> dict[Kind, float]:
    """Nothing of any kind."""
    return dict.fromkeys(FIRST_GUESS, 0.0)


@dataclass
class Pace:
    """What is left of each kind, and how long one of each takes."""

    left: dict[Kind, float] = field(default_factory=nothing)
    _seconds: dict[Kind, float] = field(default_factory=nothing)
    _done: dict[Kind, float] = field(default_factory=nothing)

    def add(self, work: Mapping[Kind, float]) -> None:
        """Plan so much more."""
        for kind, count in work.items():
            self.left[kind] += count

    def did(self, kind: Kind, planned: float, done: float, seconds: float) -> None:
        """Say that of what was planned so much had to be done, and how long that took."""
        self.left[kind] = max(self.left[kind] - planned, 0)
        self._done[kind] += done
        self._seconds[kind] += seconds

    @property
    def minutes_left(self) -> float:
        """The minutes that are left."""
        return sum(count * self._rate(kind) for kind, count in self.left.items()) / 60

    def _rate(self, kind: Kind) -> float:
        return self._seconds[kind] / self._done[kind] if self._done[kind] else FIRST_GUESS[kind]


def work_of(plan: Plan) -> dict[Kind, float]:
    """What a grid takes: pictures of the usual steps to draw, pictures to judge, pairs to train."""
    pairs = plan.pair_count
    pictures = len(plan.methods) * pairs * len(plan.pictures.templates) * len(plan.pictures.seeds)
    steps = plan.pictures.settings(plan.find_base()).steps
    work: dict[Kind, float] = {"drawing": pictures * steps / USUAL_STEPS, "judging": pictures}
    trained = [row.merges for row in plan.methods if row.trains]  # coefficients, or a LoRA where nothing is merged
    return work | {"joint": pairs * trained.count(False), "coefficients": pairs * trained.count(True)}
