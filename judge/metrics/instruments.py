"""What each metric is measured by, for pictures of any base: a backbone, the true pictures, or the metric alone.

A backbone that is not chosen is the default one of the pictures' base (``judge.default_judges``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from judge.backbone_kind import BackboneKind
from judge.default_judges import by_judge, by_variable
from judge.metrics.backbone import Backbone
from judge.metrics.features import Features
from judge.metrics.measure import Instrument
from judge.metrics.table import Metric, MetricError
from judge.metrics.truth import TrueCells
from lorarar.util.grouping import group_by
from lorarar.util.guard import guarded
from lorarar.util.row_fields import check_fields

if TYPE_CHECKING:
    from judge.targets import Target


@dataclass
class MetricAlone:
    """The instrument of a metric that needs none."""

    name: str
    revision: str
    faults: dict[Path, str] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """The metric, and the revision of how it is measured."""
        return {"name": self.name, "revision": self.revision}


class Instruments:
    """All instruments of a run, each made once."""

    def __init__(self, chosen: Mapping[str, str], device: str | None = None) -> None:
        """Choose what they are.

        Args:
            chosen: backbones by their kind, in place of the default.
            device: of models, by default a GPU if there is one.
        """
        self._chosen, self._device = chosen, device
        self._features = cache(self._find)

    def find(self, metrics: Iterable[Metric], targets: Sequence[Target]) -> None:
        """Find all instruments of some metrics, whose weights are not loaded yet; raises as ``of``."""
        for metric in metrics:
            self.of(metric, targets)

    def of(self, metric: Metric, targets: Sequence[Target]) -> list[tuple[Instrument, list[Target]]]:
        """A metric's instruments, each with the targets that it measures.

        Targets that a metric cannot measure are in none: those of bases without true pictures.

        Raises:
            MetricError: a backbone cannot be found.
            JudgeError: a default backbone does not know the pictures.
        """
        if (kind := metric.backbone) is not None:
            named = by_judge(kind.name, targets, self._chosen.get(kind.name), kind.customary)
            return [(self._features(kind, name), members) for name, members in named.items()]
        if metric.against == "truth":
            from judge.ground_truth import ground_truths

            truths = ground_truths()
            by_base = group_by(targets, lambda target: target.base)
            return [(TrueCells(base, truths[base]), by_base[base]) for base in truths if base in by_base]
        return [(MetricAlone(metric.name, metric.revision), list(targets))]

    def _find(self, kind: BackboneKind, model: str) -> Features:
        try:
            with guarded(f"the {kind.name} backbone {model}", MetricError):
                backbone = resolve_name(kind.find)(kind.name, model, self._device)
                check_fields(backbone, Backbone)
                return Features(backbone)
        except MetricError as error:
            by = "" if kind.name in self._chosen else by_variable(kind.name, model)
            raise MetricError(f"{by}{error}") from None
