"""How well cosines of a backbone tell held-out trials apart."""

from __future__ import annotations

from collections.abc import Sequence

from judge.metrics.backbone import Backbone
from judge.pocket.held_out_trials import HeldOutTrial, auroc_summary


def cosine_auroc(backbone: Backbone, trials: Sequence[HeldOutTrial]) -> dict[str, float]:
    """AUROC of the cosine of reference and test, over all negatives and over the hard ones alone."""
    references = backbone.images([trial.reference for trial in trials])
    tests = backbone.images([trial.test for trial in trials])
    return auroc_summary((references * tests).sum(1).tolist(), trials)
