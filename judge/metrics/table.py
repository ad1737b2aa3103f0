"""The table of metrics: their backbones, what a picture is measured against (the paper's A2.1), the paper's figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from judge.paper import Published
from lorarar.util.errors import LorarError

if TYPE_CHECKING:
    from judge.targets import Target

BackboneKind = Literal["clip", "dino"]
Against = Literal["subject", "style", "prompt"]


class MetricError(LorarError):
    """A backbone that cannot be used, or features that cannot be computed or kept."""

    title = "Metric"


@dataclass(frozen=True)
class Metric:
    """A similarity between generated pictures and what they should show."""

    name: str
    title: str
    kind: BackboneKind  # of its backbone
    against: Against  # the references of the subject or of the style, or the prompt
    column: int  # of Table A2
    published: Callable[[Published], float]  # the paper's figure

    def references(self, target: Target) -> tuple[Path, ...]:
        """The pictures a target is measured against; none for a prompt."""
        return () if self.against == "prompt" else target.references(self.against)


METRICS = {
    metric.name: metric
    for metric in (
        Metric("clip-i", "CLIP-I", kind="clip", against="style", column=1, published=lambda paper: paper.clip_i),
        Metric("clip-t", "CLIP-T", kind="clip", against="prompt", column=3, published=lambda paper: paper.clip_t),
        Metric("dino", "DINO", kind="dino", against="subject", column=2, published=lambda paper: paper.dino),
    )
}

#: The metrics as Table A2 has them.
TABLE_A2 = tuple(sorted(METRICS.values(), key=lambda metric: metric.column))
