"""What came of a run: counts of every critic and metric, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from judge.metrics.table import MARS2, Metric

if TYPE_CHECKING:
    from judge.metrics.measure import Instrument
    from judge.metrics.scores import ScoreOutcome
    from judge.outcome import JudgeOutcome
    from judge.targets import Target
    from judge.verdicts import Judge


@dataclass(frozen=True)
class CriticRun:
    """What a critic was asked."""

    name: str  # as it is named to ``find_critic``
    outcome: JudgeOutcome
    judge: Judge | None  # under which its verdicts are kept; None where it has none
    targets: Sequence[Target]
    brand: str  # why its figures are without worth; empty where they are not


@dataclass(frozen=True)
class MetricRun:
    """What a metric was measured by."""

    metric: Metric
    outcome: ScoreOutcome
    instrument: Instrument
    targets: Sequence[Target]
    brand: str


@dataclass(frozen=True)
class FullRun:
    """What came of a run."""

    pictures: int
    critics: Sequence[CriticRun] | None  # None where MARS2 was not asked for
    metrics: Sequence[MetricRun]
    scores: Mapping[str, ScoreOutcome]  # of every metric that is told of, by name
    jury: bool  # whether several critics were named
    faults: Mapping[str, str]  # why members of a jury could not work, by name

    @property
    def brands(self) -> list[str]:
        """Why some figures are without worth."""
        brands = [*(run.brand for run in self.critics or ()), *(run.brand for run in self.metrics)]
        return list(filter(None, dict.fromkeys(brands)))

    @property
    def members(self) -> list[Judge]:
        """Of a jury, those who have any verdict."""
        return [run.judge for run in self.critics or () if run.judge] if self.jury else []

    @property
    def mars2(self) -> JudgeOutcome | None:
        """The counts of all critics together; None where MARS2 was not asked for."""
        from judge.outcome import JudgeOutcome

        if self.critics is None:
            return None
        total = JudgeOutcome()
        for run in self.critics:
            total.add(run.outcome)
        return total

    def record(self) -> dict[str, Any]:
        """The counts under the keys of ``lorarar judge run --json``; of a jury each member's too."""
        counts = {} if self.mars2 is None else {MARS2: self.mars2.record()}
        counts |= {name: scored.record() for name, scored in self.scores.items()}
        members = {run.name: run.outcome.record() for run in self.critics or ()}
        members |= {name: {"error": fault} for name, fault in self.faults.items()}
        return {"pictures": self.pictures, **counts, "brands": self.brands, **({"jury": members} if self.jury else {})}

    @property
    def is_empty(self) -> bool:
        """Whether no picture has a clear verdict or a score."""
        judged = self.mars2
        return not (judged and judged.clear) and not any(scored.scores for scored in self.scores.values())

    @property
    def shortfall(self) -> str:
        """What is missing of a clear verdict on every question, or of any score, and why; empty where nothing is."""
        judged = self.mars2
        if judged is None:
            names = ", ".join(self.scores)
            return f"none of {self.pictures} pictures has a score by {names}" if self.is_empty else ""
        if not self.jury:
            return judged.shortfall
        lacking = [f"{run.name}: {run.outcome.shortfall}" for run in self.critics or () if run.outcome.shortfall]
        return "; ".join([*lacking, *self.faults.values()])
