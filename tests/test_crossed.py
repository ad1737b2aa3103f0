"""Intervals that draw subjects and styles anew, against enumeration, loops, textbook examples and simulation."""

from itertools import product

import numpy as np
import pytest

from benchmarks.intervals import Spread, coverage, false_claims, true_mean
from lorarar.util.formatting import interval, percent
from lorarar.util.statistics.bootstrap import Interval, bootstrap, cluster_bootstrap
from lorarar.util.statistics.crossed import crossed_counts, difference_over_pairs, over_pairs, pair_draws
from lorarar.util.statistics.holm import holm

GRID = {("a", "x"): 0.1, ("a", "y"): 0.5, ("b", "x"): 0.2, ("b", "y"): 0.9, ("c", "x"): 0.4, ("c", "y"): 0.3}


def every_resample(values):
    """The weighted mean of every way to draw subjects and styles anew, each as likely as another; NaN where empty."""
    subjects, styles = (sorted({pair[side] for pair in values}) for side in (0, 1))
    means = []
    for rows in product(subjects, repeat=len(subjects)):
        for columns in product(styles, repeat=len(styles)):
            drawn = [values[pair] for pair in product(rows, columns) if pair in values]
            means.append(np.mean(drawn) if drawn else np.nan)
    return np.array(means)


@pytest.mark.parametrize("sizes", [(5, 5), (1, 7), (30, 4)])
def test_counts_are_those_of_drawing_each_side_of_each_resample_on_its_own(sizes):
    generator = np.random.default_rng(3)
    one, two = crossed_counts(*sizes, 50, 3)
    for row in range(50):
        for counts, size in zip((one, two), sizes, strict=True):
            assert np.array_equal(counts[row], np.bincount(generator.integers(size, size=size), minlength=size))


@pytest.mark.parametrize("lost", [(), (("a", "x"),), (("a", "x"), ("b", "y"))])
def test_intervals_are_those_of_every_resample_there_is(lost):
    values = {pair: value for pair, value in GRID.items() if pair not in lost}
    found, every = over_pairs(values), every_resample(values)
    assert found.value == pytest.approx(np.mean(list(values.values())))
    draws = pair_draws(values)
    assert np.nanmean(draws) == pytest.approx(np.nanmean(every), abs=0.005)
    assert np.nanstd(draws) == pytest.approx(np.nanstd(every), abs=0.005)
    low, high = np.nanpercentile(every, [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03)


def test_of_one_subject_the_interval_is_over_its_styles():
    values = {("a", str(k)): float(value) for k, value in enumerate([0, 1, 0, 1, 1, 0, 1, 1])}
    found, plain = over_pairs(values), bootstrap(list(values.values()))
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=0.07)
    turned = over_pairs({(style, subject): value for (subject, style), value in values.items()})
    assert turned == found


def test_where_there_is_nothing_to_draw_anew_there_is_no_interval():
    alone = over_pairs({("a", "x"): 0.25})
    assert alone == bootstrap([0.25]) == Interval(0.25, None, None)
    assert cluster_bootstrap(lambda rows: 0.25, ["one"] * 3) == alone
    assert interval(alone, always=True) == "0.25" and percent(alone) == "25%"
    diagonal = over_pairs({("a", "x"): 0.0, ("b", "y"): 1.0})  # of every eight resamples one holds no pair
    assert diagonal == Interval(0.5, None, None)
    assert difference_over_pairs({("a", "x"): 0.5}, {("a", "x"): 0.25}).p is None
    assert difference_over_pairs({("a", "x"): 0.5}, {("a", "y"): 0.25}) is None
    with pytest.raises(ValueError, match="at least one pair"):
        over_pairs({})


def test_no_digit_depends_on_the_order_of_pairs():
    assert over_pairs(dict(reversed(GRID.items()))) == over_pairs(GRID)


def test_pictures_that_are_alike_within_subjects_make_intervals_wider_than_pairs_drawn_anew():
    values = {(str(row), str(column)): row / 4 for row in range(5) for column in range(5)}
    crossed, pairs = over_pairs(values), bootstrap(list(values.values()))
    assert crossed.high - crossed.low > 1.8 * (pairs.high - pairs.low)


def test_a_difference_is_over_the_pairs_that_both_have_and_its_p_says_what_its_interval_says():
    others = {pair: value / 2 for pair, value in GRID.items()} | {("d", "x"): 9.0}
    found = difference_over_pairs(GRID, others)
    halves = over_pairs({pair: value / 2 for pair, value in GRID.items()})
    assert (found.value, found.low, found.high) == (halves.value, halves.low, halves.high)
    assert found.p == 2 / 2**6 and found.low > 0  # all six pairs point one way: what a sign test makes of them
    many = {(str(row), str(column)): 0.5 + row / 10 for row in range(4) for column in range(4)}
    assert difference_over_pairs(many, dict.fromkeys(many, 0.0)).p == pytest.approx(2 / 10001)
    two = difference_over_pairs({("a", "x"): 1.0, ("a", "y"): 1.0}, {("a", "x"): 0.0, ("a", "y"): 0.0})
    assert (two.value, two.p) == (1.0, 0.5)
    assert difference_over_pairs(others, GRID).negative == found
    mixed = difference_over_pairs(GRID, dict.fromkeys(GRID, 0.3))
    every = every_resample({pair: value - 0.3 for pair, value in GRID.items()})
    assert mixed.p == pytest.approx(2 * np.mean(np.round(every, 9) <= 0), abs=0.03)
    assert mixed.low < 0 < mixed.high
    assert difference_over_pairs(GRID, GRID).p == 1


def test_what_cancels_is_zero_in_tenths_as_in_whole_numbers():
    tenths = [1, 2, -3, 3, -1, -2, 1, 1, 2, 3, -2, -1]
    pairs = [(subject, style) for subject in "abc" for style in "wxyz"]
    zero = dict.fromkeys(pairs, 0.0)
    whole = difference_over_pairs({pair: float(many) for pair, many in zip(pairs, tenths, strict=True)}, zero)
    shares = difference_over_pairs({pair: many * 0.1 for pair, many in zip(pairs, tenths, strict=True)}, zero)
    assert shares.p == whole.p
    assert interval(Interval(-1e-17, -0.1, 1e-17), signed=True) == "+0.00 (-0.10 to +0.00)"


def test_holms_adjustment_gives_a_known_example():
    # four tests, as in the usual textbook table: 0.005 x 4, 0.01 x 3, 0.03 x 2, and never below the one before
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02}
    )
    assert holm({"a": 0.7, "b": 0.6}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}


def test_crossed_intervals_cover_what_they_claim_and_those_over_pairs_do_not(note):
    spread = Spread(1.0, 1.0, 1.0)
    draws = np.random.default_rng(0).normal(size=400_000) * spread.whole - 1
    assert true_mean(spread) == pytest.approx(np.mean(1 / (1 + np.exp(-draws))), abs=0.002)
    shares = coverage(5, 5, spread, 250)
    note(f"5 x 5, nominal 95 %: crossed {shares.crossed:.3f}, pairs {shares.pairs:.3f}, 250 grids")
    assert 0.88 <= shares.crossed <= 0.98
    assert shares.pairs < 0.8


@pytest.mark.slow
@pytest.mark.parametrize(("methods", "most"), [(2, 0.15), (8, 0.25)])
def test_methods_that_are_equally_good_are_seldom_told_apart(methods, most, note):
    share = false_claims(methods, 5, 5, Spread(1.0, 1.0, 1.0), 120)
    note(f"{methods} methods, 5 x 5: any two told apart in {share:.3f} of 120 grids")
    assert share <= most  # 0.05 where intervals are exact, which those of five subjects are not
