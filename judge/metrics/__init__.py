"""Metrics beside MARS2: CLIP-I, CLIP-T and DINO on any backbone, as the paper's Table A2 has them, and others."""

from judge.metrics.stored_scores import Key, digest_together, is_prompt_key, measured_against
from judge.metrics.table import MARS2, METRICS

__all__ = ["Key", "MARS2", "METRICS", "digest_together", "is_prompt_key", "measured_against"]
