"""Statistics that every room uses, against independent implementations."""

import numpy as np
import pytest
from krippendorff import alpha

from lorarar.util.statistics.agreement import krippendorff_alpha


@pytest.mark.parametrize("seed", range(5))
def test_nominal_alpha_is_the_librarys(seed):
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 4, (30, 3))
    counts = counts[counts.sum(axis=1) > 1]
    theirs = alpha(value_counts=counts, value_domain=np.arange(3), level_of_measurement="nominal")
    assert krippendorff_alpha(counts) == pytest.approx(theirs, abs=1e-12)


def test_alpha_is_not_defined_where_nothing_could_disagree():
    assert krippendorff_alpha(np.array([[1, 0], [0, 1]])) is None
    assert krippendorff_alpha(np.array([[3, 0], [2, 0]])) is None
