"""What came of the questions of a run: counts, and why some have no clear answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from judge.questions import Reply


@dataclass
class JudgeOutcome:
    """How many questions a run had, and what came of them."""

    questions: int = 0  # different ones
    existing: int = 0  # with a clear verdict from an earlier run
    settled: int = 0  # that need no critic: of pictures that are the same
    replies: int = 0  # to the questions that this run asked
    failed: int = 0
    unparsed: int = 0
    missing: int = 0  # pictures and references that are not there; nothing was asked about them
    reasons: dict[str, int] = field(default_factory=dict)  # how often each reason was given
    given_up: str = ""  # why the critic was asked no more; empty where all was asked

    def count(self, reply: Reply) -> None:
        """Count a reply."""
        self.replies += 1
        self.failed += reply.status == "failed"
        self.unparsed += reply.status == "unparsed"
        if reply.reason:
            self.reasons[reply.reason] = self.reasons.get(reply.reason, 0) + 1

    def add(self, other: JudgeOutcome) -> None:
        """Count another critic's questions too."""
        self.questions += other.questions
        self.existing += other.existing
        self.settled += other.settled
        self.replies += other.replies
        self.failed += other.failed
        self.unparsed += other.unparsed
        self.missing += other.missing
        for reason, count in other.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count
        self.given_up = self.given_up or other.given_up

    @property
    def clear(self) -> int:
        """How many questions have a clear verdict now."""
        return self.existing + self.settled + self.replies - self.failed - self.unparsed

    @property
    def shortfall(self) -> str:
        """What is missing of a clear verdict on every question, and why; empty where nothing is."""
        unclear = self.questions - self.clear
        if self.questions and not unclear:
            return ""
        counts = {"failed": self.failed, "unparsed": self.unparsed, "not asked": unclear - self.failed - self.unparsed}
        parts = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing was asked"
        of = f"of {self.questions} questions"
        share = f"{self.clear} {of} have" if self.clear else f"none {of} has"
        why = f"the critic was given up: {self.given_up}" if self.given_up else f"mostly: {self.main_reason}"
        return f"{share} a clear verdict ({parts}); {why}; run again to ask the others"

    @property
    def main_reason(self) -> str:
        """Why most of the questions without a clear answer have none."""
        return main_reason(self.reasons)

    def record(self) -> dict[str, Any]:
        """The outcome under the keys of ``lorarar judge run --json``."""
        return {
            "cases": self.questions,
            "found": self.existing,
            "asked": self.replies,
            "failed": self.failed,
            "unparsed": self.unparsed,
            "missing": self.missing,
            "reasons": self.reasons,
            "given_up": self.given_up or None,
        }


def main_reason(reasons: Mapping[str, int]) -> str:
    """The reason that was given most often."""
    return max(reasons, key=lambda reason: reasons[reason], default="nothing was asked")
