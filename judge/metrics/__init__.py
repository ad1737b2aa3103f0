"""Metrics beside MARS2: CLIP-I, CLIP-T and DINO on any backbone, as the paper's Table A2 has them, and others."""

from judge.metrics.table import MARS2, METRICS

__all__ = ["MARS2", "METRICS"]
