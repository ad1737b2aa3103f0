"""Proportions with intervals that stay honest where answers come in clusters and where a proportion is 0 or 1.

Several questions are about one picture, and answers about one picture are alike. Counting each as an
observation of its own would make intervals too narrow, so the number of observations is divided by the
design effect first (Kish), and Wilson's interval taken of what is left (as Korn and Graubard do with
Clopper's). Where every answer is the same, no spread can be seen and the clusters are what counts.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

Z = 1.959963984540054  # of a 95 % interval


@dataclass(frozen=True)
class Proportion:
    """Hits among n answers with a 95 % interval; None where there is nothing to count."""

    value: float | None
    low: float | None
    high: float | None
    hits: int
    n: int
    clusters: int
    worth: float = 0.0  # how many independent answers the n are worth


def proportion(hits: Sequence[bool], clusters: Sequence[Hashable]) -> Proportion:
    """The proportion of hits, each of which belongs to a cluster (a picture, a cell)."""
    if not hits:
        return Proportion(value=None, low=None, high=None, hits=0, n=0, clusters=0)
    value = sum(hits) / len(hits)
    worth = effective_sample_size(hits, clusters)
    low, high = wilson(value, worth)
    return Proportion(
        value=value, low=low, high=high, hits=sum(hits), n=len(hits), clusters=len(set(clusters)), worth=worth
    )


def effective_sample_size(hits: Sequence[bool], clusters: Sequence[Hashable]) -> float:
    """How many independent observations clustered ones are worth: at most all, at least as many as clusters."""
    sums, sizes = _by_cluster(hits, clusters)
    n, groups, value = len(hits), len(sizes), sum(hits) / len(hits)
    if groups < 2 or value in (0, 1):
        return float(groups)
    residuals = sums - value * sizes
    variance = groups / (groups - 1) * (residuals**2).sum() / n**2  # of a ratio of sums over clusters
    if_independent = value * (1 - value) / n
    return float(max(groups, n / max(1.0, variance / if_independent)))


def wilson(value: float, n: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion of n observations."""
    middle = (value + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * sqrt(value * (1 - value) / n + Z**2 / (4 * n**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def _by_cluster(hits: Sequence[bool], clusters: Sequence[Hashable]) -> tuple[np.ndarray, np.ndarray]:
    """How many hits and how many answers each cluster has, both (clusters,)."""
    numbers = {cluster: k for k, cluster in enumerate(dict.fromkeys(clusters))}
    index = [numbers[cluster] for cluster in clusters]
    return np.bincount(index, np.asarray(hits, float)), np.bincount(index).astype(float)
