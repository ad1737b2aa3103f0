"""CLIP-I, CLIP-T and DINO, on any backbone: pictures beside MARS2, as the paper's Table A2 has them."""

from judge.metrics.table import METRICS

__all__ = ["METRICS"]
