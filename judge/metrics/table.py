"""The one table of metrics: ours, then those of other packages by the entry points ``lorarar.metrics``.

A row says all that is known of a metric but how it is measured: that is named by a place, so that reports, studies and
the app read the table without loading a model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from judge import published
from judge.backbone_kind import CLIP, CSD, DINO, DINOV2, SIGLIP, BackboneKind
from lorarar.util.errors import LorarError
from lorarar.util.options import Option, check_names
from lorarar.util.registry import Registry

if TYPE_CHECKING:
    from judge.targets import Target

MARS2 = "mars2"  # named beside the metrics wherever they are listed; a critic's verdicts, not scores
#: What a picture is measured against: the references of its subject or its style, its prompt, the true picture of its
#: cell by the ground truth of its base's family, or nothing.
Against = Literal["subject", "style", "prompt", "truth", "nothing"]
#: Keys that reports and runs have beside those of metrics; no metric has such a name. Longer ones have a ``_``.
TAKEN = {
    *(MARS2, "method", "subject", "style", "average", "best", "against", "attempts", "images", "pictures", "pairs"),
    *("undecided", "failed", "unparsed", "collection", "brand", "brands"),
}


class MetricError(LorarError):
    """A metric that cannot be measured: a backbone that cannot be used, or features that cannot be kept."""

    title = "Metric"


@dataclass(frozen=True)
class Metric:
    """A number for a generated picture that says how near it is to what it should show."""

    name: str
    title: str
    help: str  # what it is, in half a sentence
    measure: str  # the place ``module:function`` of what measures it, a ``judge.metrics.measure.Measure``
    order: float = 100  # its column among the others
    against: Against = "nothing"
    backbone: BackboneKind | None = None  # what kind of model it is measured by
    higher_is_better: bool = True
    places: int = 3  # after the decimal point
    quadratic: bool = False  # whether scores are averaged as a root mean square
    yes_or_no: bool = False  # whether a score is 1 or 0
    default: bool = False  # whether ``judge run`` measures it where it is not told which
    revision: str = "1"  # of how it is measured; scores by another revision are other scores
    published: Mapping[str, float] = field(default_factory=dict, hash=False)  # the paper's figures by method
    paper: str = ""  # who brought it or uses it
    caution: str = ""  # a sentence that stands with its figures

    def references(self, target: Target) -> tuple[Path, ...]:
        """The pictures a target is measured against; none where it is against something else."""
        return target.references(self.against) if self.against in ("subject", "style") else ()

    @property
    def direction(self) -> str:
        """Which scores are better, in words."""
        return "higher is better" if self.higher_is_better else "lower is better"

    @property
    def key(self) -> str:
        """Its name within another, as keys of reports have it."""
        return self.name.replace("-", "_")


COSINE = "judge.metrics.measure:cosines"
OURS = (
    Metric(
        "clip-i",
        "CLIP-I",
        "mean cosine to the style's references",
        COSINE,
        order=1,
        against="style",
        backbone=CLIP,
        default=True,
        published=published.CLIP_I,
        paper="LoRA.rar, A2.1 (arXiv 2412.05148); DreamBooth's (2208.12242), there to the subject",
    ),
    Metric(
        "clip-t",
        "CLIP-T",
        "cosine to the prompt without its rare token",
        COSINE,
        order=3,
        against="prompt",
        backbone=CLIP,
        default=True,
        published=published.CLIP_T,
        paper="LoRA.rar, A2.1 (arXiv 2412.05148); DreamBooth's (2208.12242)",
    ),
    Metric(
        "dino",
        "DINO",
        "mean cosine to the subject's references",
        COSINE,
        order=2,
        against="subject",
        backbone=DINO,
        default=True,
        published=published.DINO,
        paper="LoRA.rar, A2.1 (arXiv 2412.05148); DreamBooth's (2208.12242)",
    ),
    Metric(
        "dinov2",
        "DINOv2",
        "mean cosine to the subject's references, 224 of 256 pixels",
        COSINE,
        order=4,
        against="subject",
        backbone=DINOV2,
        paper="DreamBench++ (arXiv 2406.16855), beside DINO",
    ),
    Metric(
        "siglip-i",
        "SigLIP-I",
        "mean cosine to the style's references, as CLIP-I",
        COSINE,
        order=5,
        against="style",
        backbone=SIGLIP,
        paper="SigLIP 2 (arXiv 2502.14786), whose features MaSC (2605.22469) takes in CLIP's place",
    ),
    Metric(
        "siglip-t",
        "SigLIP-T",
        "cosine to the prompt without its rare token, as CLIP-T",
        COSINE,
        order=6,
        against="prompt",
        backbone=SIGLIP,
        paper="SigLIP 2 (arXiv 2502.14786), whose features MaSC (2605.22469) takes in CLIP's place",
    ),
    Metric(
        "csd",
        "CSD",
        "mean cosine of style descriptors to the style's references",
        COSINE,
        order=7,
        against="style",
        backbone=CSD,
        paper="DuoLoRA (arXiv 2504.13206); the descriptor is Somepalli et al.'s (2404.01292)",
        caution="Raw cosines of CSD mislead for some artists (arXiv 2605.09030): compare methods within a style.",
    ),
    Metric(
        "rms-truth",
        "RMS to the truth",
        "root mean squared difference to the true picture, of 255",
        "judge.metrics.truth:distances",
        order=10,
        against="truth",
        higher_is_better=False,
        places=1,
        quadratic=True,
        default=True,
        paper="this project's own",
    ),
    Metric(
        "identified",
        "Identified",
        "nearest to its own true picture, of all subjects' in its style and all styles' of its subject",
        "judge.metrics.truth:identified",
        order=11,
        against="truth",
        places=2,
        yes_or_no=True,
        default=True,
        paper="this project's own",
    ),
)


def _check(metric: Metric, metrics: Mapping[str, Metric]) -> None:
    """Refuse a metric whose name no list or report can hold, or whose kind of backbone means something else."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", metric.name):
        raise ValueError(f"its name is {metric.name!r}; accepted are small letters and digits, with - between")
    if metric.name in TAKEN:
        raise ValueError(f"reports have {metric.name} already; another name is needed")
    if metric.backbone is not None:
        _check_backbone(metric.backbone, [other.backbone for other in metrics.values() if other.backbone])


def _check_backbone(kind: BackboneKind, others: Sequence[BackboneKind]) -> None:
    """Refuse a kind of backbones whose name means something else in another metric, or is another flag's."""
    if any(other.name == kind.name and other != kind for other in others):
        raise ValueError(f"its kind of backbone {kind.name} means something else elsewhere")
    if kind not in others:
        from judge.critics.kind import RESERVED
        from judge.critics.local.settings import LOCAL_OPTIONS
        from judge.critics.openai.settings import SERVED_OPTIONS

        settings = {option.name for option in (*LOCAL_OPTIONS, *SERVED_OPTIONS)}
        check_names([Option(kind.name, kind.title, "text")], RESERVED | settings, "lorarar judge")


#: The metrics, in the order of their columns wherever they are listed.
METRICS: Registry[Metric] = Registry("lorarar.metrics", Metric, OURS, _check, order=lambda metric: metric.order)


def backbone_kinds() -> dict[str, BackboneKind]:
    """The kinds of backbones that metrics are measured by, by name."""
    return {metric.backbone.name: metric.backbone for metric in METRICS.values() if metric.backbone is not None}
