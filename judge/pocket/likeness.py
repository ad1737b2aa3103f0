"""How well cosines of a backbone tell held-out trials apart."""

from __future__ import annotations

from collections.abc import Sequence

from judge.metrics.backbone import Backbone
from judge.pocket.trials import Trial, auroc


def tell_apart(backbone: Backbone, trials: Sequence[Trial]) -> dict[str, float]:
    """AUROC of the cosine of reference and test, over all negatives and over the hard ones alone."""
    references = backbone.images([trial.reference for trial in trials])
    tests = backbone.images([trial.test for trial in trials])
    cosines = (references * tests).sum(1).tolist()
    hard = [k for k, trial in enumerate(trials) if trial.same or trial.hard]
    return {
        "auroc": round(auroc(cosines, [trial.same for trial in trials]), 4),
        "auroc_hard": round(auroc([cosines[k] for k in hard], [trials[k].same for k in hard]), 4),
        "trials": len(trials),
    }
