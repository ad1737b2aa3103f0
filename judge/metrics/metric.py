"""The three metrics: which kind of backbone, and what a picture is measured against (the paper's A2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lorarar.util.errors import LorarError

if TYPE_CHECKING:
    from judge.targets import Target

Kind = Literal["clip", "dino"]
Against = Literal["subject", "style", "prompt"]


class MetricError(LorarError):
    """A backbone that cannot be used, or features that cannot be computed or kept."""

    title = "Metric"


@dataclass(frozen=True)
class Metric:
    """A similarity between generated pictures and what they should show."""

    name: str
    kind: Kind  # of its backbone
    against: Against  # the references of the subject or of the style, or the prompt

    def references(self, target: Target) -> tuple[Path, ...]:
        """The pictures a target is measured against; none for a prompt."""
        sides = {"subject": target.subject_references, "style": target.style_references, "prompt": ()}
        return sides[self.against]


METRICS = {
    metric.name: metric
    for metric in (
        Metric("clip-i", "clip", "style"),
        Metric("clip-t", "clip", "prompt"),
        Metric("dino", "dino", "subject"),
    )
}
