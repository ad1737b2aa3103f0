"""Parts of other packages: whatever they raise is a finding of theirs, and the other parts go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from judge.check.ask import CheckQuestion
from judge.check.findings import Finding
from judge.check.part import Baseline, CheckPlan, Part
from judge.targets import Target
from judge.verdicts import Verdict


@dataclass(frozen=True)
class PartFailure:
    """Why a part has no result."""

    failure: str


class GuardedPart(Part[CheckQuestion, Any]):
    """Another package's part."""

    def __init__(self, part: Part[Any, Any]) -> None:
        self.part = part
        self.name, self.order, self.asked_by_run = part.name, part.order, part.asked_by_run  # type: ignore[misc]
        self._failure: PartFailure | None = None

    def questions(self, plan: CheckPlan, sample: Sequence[Target]) -> Sequence[CheckQuestion]:
        """The part's questions; none where it raises."""
        self._failure = None
        try:
            return list(self.part.questions(plan, sample))
        except Exception as error:  # another package's code may raise anything
            self._failure = _failure(error)
            return []

    def measure(self, baseline: Baseline, questions: Sequence[CheckQuestion], verdicts: Sequence[Verdict]) -> Any:
        """The part's result, or why there is none."""
        if self._failure is not None:
            return self._failure
        try:
            return self.part.measure(baseline, questions, verdicts)
        except Exception as error:
            return _failure(error)

    def findings(self, result: Any, average: float | None) -> Iterator[Finding]:
        """The part's sentences, or one that says what it raised."""
        try:
            if not isinstance(result, PartFailure):
                yield from list(self.part.findings(result, average))
                return
        except Exception as error:
            result = _failure(error)
        yield Finding(self.name, "", f"fails: {result.failure}")


def _failure(error: Exception) -> PartFailure:
    return PartFailure(" ".join(f"{type(error).__name__}: {error}".split()))
