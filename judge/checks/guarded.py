"""Parts of other packages: whatever they raise is a finding of theirs, and the other parts go on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

from judge.checks.ask import CheckQuestion
from judge.checks.findings import Finding
from judge.checks.part import Baseline, CheckPlan, Part
from judge.targets import Target
from judge.verdicts import Verdict
from lorarar.util.row_fields import check_fields


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
            questions = list(self.part.questions(plan, sample))
            for question in questions:
                check_fields(question, CheckQuestion)
        except Exception as error:  # another package's code may raise anything
            self._failure = _failure(error)
            return []
        return questions

    def measure(self, baseline: Baseline, questions: Sequence[CheckQuestion], verdicts: Sequence[Verdict]) -> Any:
        """The part's result, or why there is none."""
        if self._failure is not None:
            return self._failure
        try:
            result = self.part.measure(baseline, questions, verdicts)
            json.dumps(result, default=_as_dict, allow_nan=False)
        except Exception as error:
            return _failure(error)
        return result

    def findings(self, result: Any, average: float | None) -> Iterator[Finding]:
        """The part's sentences, or one that says what it raised."""
        try:
            findings = [] if isinstance(result, PartFailure) else list(self.part.findings(result, average))
            for finding in findings:
                check_fields(finding, Finding)
        except Exception as error:
            result = _failure(error)
        if isinstance(result, PartFailure):
            findings = [Finding(self.name, "", f"fails: {result.failure}")]
        yield from findings


def _as_dict(value: Any) -> dict[str, Any]:
    """A dataclass's fields, as the check's JSON has them; TypeError for anything else."""
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"its result holds {value!r}, which JSON cannot hold")
    return asdict(value)


def _failure(error: Exception) -> PartFailure:
    return PartFailure(" ".join(f"{type(error).__name__}: {error}".split()))
