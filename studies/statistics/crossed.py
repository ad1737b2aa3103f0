"""A bootstrap crossed over raters and cells: both are samples, of people and of things people could be asked about.

Resampling votes as if they were independent gives intervals that cover a half of what they claim; resampling raters
alone or items alone claims too much as well (docs/statistics.md has the figures). Here raters and cells are resampled,
each on their own, and a vote weighs as often as its rater times as often as its cell: as ``lorarar.util`` has it for
every other report.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lorarar.util.formatting import count as counted
from lorarar.util.statistics.crossed import crossed_counts
from lorarar.util.statistics.estimate import Estimate, defined, estimate
from lorarar.util.statistics.proportions import wilson
from studies.statistics.draws import current_draws
from studies.statistics.ratings import Floats, Ratings

ONE_RATER = "one rater: how raters differ is not in the interval"
ONE_PAIR = "one pair: how pairs differ is not in the interval"
ONE_VOTE = "no interval: one rater and one pair"
LEAST_WIDTH = 1e-9  # of an interval; sums in another order differ by some 1e-16
ALL_ALIKE = "no interval: every resample gives the same"


@dataclass(frozen=True)
class Resamples:
    """How often each rater and each cell of votes is sampled in each resample; one alone always is."""

    ratings: Ratings
    raters: Floats  # (resamples, raters)
    cells: Floats  # (resamples, cells)

    @classmethod
    def of(cls, ratings: Ratings, count: int | None = None, seed: int | None = None) -> Resamples:
        """Sample raters and cells ``count`` times; without a count and a seed by those of the report at hand."""
        draws = current_draws()
        count, seed = draws.count if count is None else count, draws.seed if seed is None else seed
        return cls(ratings, *crossed_counts(ratings.rater_count, ratings.cell_count, count, seed))

    @property
    def items(self) -> Floats:
        """How often each item is sampled (resamples, items): as often as its cell."""
        return self.cells[:, self.ratings.cells]

    def totals(self, values: Floats) -> Floats:
        """The sum of values (votes,) in each resample (resamples,), each as often as its rater times its cell."""
        of = self.ratings
        place = of.raters * of.cell_count + of.cells[of.items]
        table = np.bincount(place, values, of.rater_count * of.cell_count).reshape(of.rater_count, of.cell_count)
        return np.asarray(np.einsum("rc,rc->r", self.raters @ table, self.cells))

    def means(self, values: Floats) -> Floats:
        """The mean of values (votes,) in each resample (resamples,); NaN where it holds no vote."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.totals(values) / self.totals(np.ones_like(values))

    @cached_property
    def item_means(self) -> Floats:
        """The mean value of each item over the sampled raters (resamples, items); NaN where none of them voted."""
        table = self.ratings.matrix()
        voted = ~np.isnan(table)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (self.raters @ np.where(voted, table, 0.0)) / (self.raters @ voted)

    def estimate(self, value: float, draws: Floats) -> Estimate:
        """A value with the interval of what the resamples gave (resamples,), and what that interval leaves out.

        Where all of them gave the same there is nothing to go by, and no interval: one vote more might well differ.

        Raises:
            UndefinedError: the value is not finite.
        """
        return self.noted(estimate(value, draws))

    def noted(self, result: Estimate) -> Estimate:
        """An estimate with what its interval leaves out; none where it has no width, or nothing was resampled."""
        if self.ratings.rater_count == 1 and self.ratings.cell_count == 1:
            return Estimate(result.value, None, None, ONE_VOTE)
        if result.low is None or result.high is None:
            return result
        if result.high - result.low < LEAST_WIDTH:
            return Estimate(result.value, None, None, ALL_ALIKE)
        return result.noted(*self.alone)

    def alike(self, value: float, least: float = 0.0, most: float = 1.0) -> Estimate:
        """A mean of values that are all the same, with Wilson's interval of a share of 1 among as many cells.

        Args:
            value: the mean.
            least: the least value that one can have.
            most: the largest.
        """
        cells = self.ratings.cell_count
        _, others = wilson(0.0, cells)
        low, high = value - others * (value - least), value + others * (most - value)
        note = f"nothing differs: Wilson's interval over {counted(cells, 'pair')}"
        return Estimate(value, low, high, note).noted(*self.alone)

    @property
    def alone(self) -> list[str]:
        """What no interval of these votes can hold, since there is but one to resample."""
        counts = {ONE_RATER: self.ratings.rater_count, ONE_PAIR: self.ratings.cell_count}
        return [note for note, many in counts.items() if many == 1]


def crossed_mean(
    ratings: Ratings, least: float = 0.0, most: float = 1.0, count: int | None = None, seed: int | None = None
) -> Estimate:
    """The mean of the votes' values with its crossed 95 % interval.

    Where no value differs from another there is nothing to resample, yet one vote more might: the interval is then
    Wilson's, of a share of 1 among as many cells as there are, and as wide as the bounds of the values let it be.

    Args:
        ratings: the votes.
        least: the least value that a vote can have.
        most: the largest.
        count: the number of resamples; without one, the report's.
        seed: of the resampling; without one, the report's.
    """
    values = ratings.values
    resamples = Resamples.of(ratings, count, seed)
    value = defined(float(values.mean()))
    if np.ptp(values):
        return resamples.estimate(value, resamples.means(values))
    return resamples.alike(value, least, most)
