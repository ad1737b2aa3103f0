"""How far people agree with each other and with themselves."""

from __future__ import annotations

from lorarar.util.statistics.agreement import Level, alpha_estimate, krippendorff_alpha, value_counts
from lorarar.util.statistics.estimate import Estimate
from lorarar.util.statistics.undefined import UndefinedError
from studies.statistics.crossed import Resamples, crossed_mean
from studies.statistics.ratings import Ratings

FEW_PAIRS = 15  # below which the interval of alpha is known to be too narrow
TOO_NARROW = f"fewer than {FEW_PAIRS} pairs: the interval is too narrow"


def alpha(ratings: Ratings, level: Level) -> Estimate:
    """Krippendorff's alpha, with an interval over cells (a rater sampled twice would agree with themselves).

    Args:
        ratings: the votes.
        level: whether their values are names or ranks.

    Raises:
        UndefinedError: no item was answered by two raters, there is but one, or all answers are the same.
    """
    counts = value_counts(ratings.matrix())
    several = counts.sum(axis=1) > 1
    if not several.any():
        raise UndefinedError("no item was answered by two raters")
    if several.sum() < 2:
        raise UndefinedError("one item alone was answered by two raters, of which chance cannot be told")
    if krippendorff_alpha(counts, level) is None:
        raise UndefinedError("all answers are the same")
    resamples = Resamples.of(ratings)
    result = resamples.noted(alpha_estimate(counts, ratings.cells, resamples.cells, level))
    return result.noted(TOO_NARROW if result.low is not None and ratings.cell_count < FEW_PAIRS else "")


def consistency(same: Ratings) -> Estimate:
    """The share of repeats that were answered as before (value 1; otherwise 0)."""
    return crossed_mean(same)
