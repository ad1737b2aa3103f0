"""Figures of a study against values worked out elsewhere: by hand, by scipy, by R's packages, by simulation."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from krippendorff import alpha as krippendorffs
from scipy.optimize import linprog, minimize
from scipy.stats import bootstrap, kendalltau, norm, spearmanr

from benchmarks.coverage import coverage, false_equivalence, rivals_of
from benchmarks.simulated import Size, simulate, true_wins
from judge.pairwise.figures import _with_ends
from lorarar.util.statistics.agreement import krippendorff_alphas, majority, value_counts
from lorarar.util.statistics.bca import bca
from lorarar.util.statistics.correlation import pearson, spearman
from lorarar.util.statistics.davidson import Comparisons, fit, fits
from lorarar.util.statistics.estimate import Estimate, estimate, simultaneous
from lorarar.util.statistics.proportions import wilson
from lorarar.util.statistics.separation import separation
from lorarar.util.statistics.undefined import UndefinedError
from studies.reports.figure_builders import figure_of
from studies.statistics import coefficients
from studies.statistics.agreement import TOO_NARROW, alpha
from studies.statistics.correlation import corrected, correlate
from studies.statistics.crossed import ALL_ALIKE, ONE_PAIR, ONE_RATER, ONE_VOTE, Resamples, crossed_mean
from studies.statistics.draws import Draws, drawn_by
from studies.statistics.outcomes import equivalence, outcomes
from studies.statistics.ratings import Ratings
from studies.statistics.reliability import intraclass, of_one, reliability, spearman_brown
from studies.statistics.strengths import method_strengths

from .test_study_statistics import ratings_of


@pytest.fixture
def few_draws():
    with drawn_by(Draws(400)):
        yield


# The human ceiling


@pytest.mark.parametrize(
    ("raters", "one_against_others", "oracle"),
    [(25, 0.328, 0.890), (5, 0.232, 0.670)],  # as measured elsewhere: the r of a metric that is the true quality
)
def test_the_ceiling_follows_from_one_rater_against_the_others(raters, one_against_others, oracle):
    rho = of_one(np.array(one_against_others), raters)
    assert rho**2 * (raters - 1) / (1 + (raters - 2) * rho) == pytest.approx(one_against_others**2)
    assert np.sqrt(spearman_brown(rho, raters)) == pytest.approx(oracle, abs=4e-3)


@pytest.mark.parametrize(("raters", "near"), [(5, 0.06), (25, 0.02)])
def test_a_metric_that_is_the_true_quality_reaches_the_ceiling_and_does_not_exceed_it(raters, near, few_draws):
    generator, ceilings, ones, oracle = np.random.default_rng(0), [], [], []
    for _ in range(60):
        quality = generator.normal(size=25)
        votes = np.sign((quality + generator.normal(0, 2, (raters, 25))).round())
        found = reliability(ratings_of(votes))
        ceilings.append(found.ceiling.value)
        ones.append(found.one_against_others.value)
        oracle.append(np.corrcoef(votes.mean(axis=0), quality)[0, 1])
    assert np.mean(ceilings) == pytest.approx(np.mean(oracle), abs=near)
    assert np.mean(np.array(oracle) > ones) > 0.9  # so one rater's r with the others is no ceiling


def test_the_reliability_of_shrout_and_fleiss():
    """Their table 2 (1979): six targets, four judges; ICC(1,1) 0.17, ICC(1,4) 0.44."""
    judges = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float).T
    found = intraclass(ratings_of(judges))
    assert found.value == pytest.approx(0.4428, abs=5e-4)
    assert found.low <= found.value <= found.high


def test_reliability_is_not_defined_for_one_rater():
    with pytest.raises(UndefinedError):
        reliability(ratings_of(np.array([[1.0, 0, 1, 0, 1]])))
    with pytest.raises(UndefinedError):
        intraclass(ratings_of(np.array([[1.0, 0, 1, 0, 1]])))


def test_r_with_infinitely_many_raters_is_r_over_the_root_of_the_reliability(few_draws):
    votes = simulate(np.random.default_rng(4), Size(40, 8))
    of_raters = reliability(votes.ratings)
    raw = correlate(votes.ratings, votes.good, {"r": pearson}).values["r"]
    found = corrected(votes.ratings, votes.good, of_raters)
    assert found.value == pytest.approx(raw.value / np.sqrt(of_raters.value))
    assert found.low <= found.value <= found.high <= 1
    cut = corrected(votes.ratings, votes.ratings.item_means(), of_raters)
    assert (cut.value, "more than 1" in cut.note) == (1.0, True)


# Shares of 0 and 1, one rater, one item, refused intervals


def test_a_share_of_0_or_1_has_wilsons_interval_over_pairs():
    shares = outcomes(ratings_of(np.ones((6, 25))))
    assert (shares.wins.low, shares.wins.high) == pytest.approx((0.8668, 1.0), abs=5e-4)
    assert (shares.losses.low, shares.losses.high) == pytest.approx((0.0, 0.1332), abs=5e-4)
    assert (shares.preference.low, shares.preference.high) == pytest.approx((2 * 0.8668 - 1, 1.0), abs=5e-4)
    assert "Wilson's interval over 25 pairs" in shares.wins.note
    even = outcomes(ratings_of(np.zeros((3, 10)))).preference
    assert even.value == 0
    assert even.low == pytest.approx(-even.high) == pytest.approx(-wilson(0.0, 10)[1])


def test_what_an_interval_leaves_out_is_said():
    generator = np.random.default_rng(0)
    of_one_rater = crossed_mean(ratings_of(generator.integers(0, 2, (1, 25)).astype(float)))
    of_one_item = crossed_mean(ratings_of(generator.integers(0, 2, (25, 1)).astype(float)))
    assert (of_one_rater.note, of_one_item.note) == (ONE_RATER, ONE_PAIR)
    assert of_one_rater.low < of_one_rater.value < of_one_rater.high
    two_items = Ratings.of([(1.0, 0, 0, 0), (0.0, 1, 0, 0)])  # of one pair, by one rater
    alone = crossed_mean(two_items)
    assert (alone.value, alone.low, alone.high, alone.note) == (0.5, None, None, ONE_VOTE)


def test_a_value_is_kept_where_its_interval_is_refused():
    draws = np.where(np.arange(1000) < 80, np.nan, 1.0)
    found = estimate(0.5, draws)
    assert (found.value, found.low, found.high) == (0.5, None, None)
    assert "undefined in 8% of resamples" in found.note
    shown = figure_of("agreement", "", "repeats", found, n=4, counted="repeats")
    assert (shown.value, shown.low, shown.high, shown.note) == (0.5, None, None, found.note)
    with pytest.raises(UndefinedError):
        estimate(float("nan"), draws)


def test_two_raters_have_odds_and_nu(few_draws):
    generator = np.random.default_rng(1)
    votes = generator.choice([-1.0, 0.0, 1.0], (2, 25), p=[0.1, 0.3, 0.6])
    ratings = ratings_of(votes)
    found = method_strengths(ratings, np.tile([0, 1], (50, 1)), 2)
    wins, losses, ties = ((votes == one).sum() for one in (1, -1, 0))
    assert found.contrasts[0, 1].estimate.value == pytest.approx(np.log(wins / losses))
    assert found.nu.value == pytest.approx(ties / np.sqrt(wins * losses))


def test_where_every_resample_gives_the_same_there_is_no_interval():
    """Perfect agreement, no ties at all: one vote more might well differ, so an interval of no width says too much."""
    quality = np.tile([1.0, 0.0, 1.0, 0.0, 1.0, 0.0], 3)
    ratings = ratings_of(np.tile(quality, (4, 1)))
    perfect = correlate(ratings, quality, {"r": pearson, "kappa": coefficients.kappa}).values
    area = correlate(ratings, quality, {"area": coefficients.auc}).values["area"]
    assert (area.value, area.low, area.high) == pytest.approx(
        (1.0, 1 - wilson(0.0, 18)[1], 1.0)
    )  # a share has Wilson's
    of_alpha, raters = alpha(ratings, "nominal"), reliability(ratings)
    for figure in (*perfect.values(), of_alpha, raters.of_mean, raters.ceiling):
        assert (figure.value, figure.low, figure.high, figure.note) == (pytest.approx(1), None, None, ALL_ALIKE)
    votes = np.where(np.arange(80).reshape(4, 20) % 3 == 0, -1.0, 1.0)
    nu = method_strengths(ratings_of(votes), np.tile([0, 1], (80, 1)), 2).nu
    assert (nu.value, nu.low, nu.note) == (0.0, None, ALL_ALIKE)


# Unbounded ends


def test_a_resample_that_is_infinite_is_an_end_and_not_left_out():
    """25 pairs, 20 raters, losses in 3 pairs alone: in 4.6 % of resamples there is none, so there is no upper bound."""
    votes = np.ones((20, 25))
    votes[:, 5:8] = 0.0
    votes[:10, :3] = -1.0
    found = method_strengths(ratings_of(votes), np.tile([0, 1], (500, 1)), 2)
    odds = found.contrasts[0, 1].estimate
    assert odds.value == pytest.approx(np.log((votes == 1).sum() / 30))
    assert 0 < odds.low < odds.value
    assert odds.high == np.inf
    shown = figure_of("model", "", "log odds", odds, n=500, counted="votes")
    assert (shown.high, shown.note) == (None, "no upper bound")
    assert shown.low == odds.low
    assert pytest.approx(0.041, abs=1e-3) == (22 / 25) ** 25  # how often no pair with a loss is drawn


def test_ends_are_of_resamples_as_they_are():
    draws = np.concatenate([np.full(30, -np.inf), np.arange(970.0)])
    assert (estimate(3.0, draws).low, estimate(3.0, draws).high) == (-np.inf, 945.0)


# Davidson's model: the page's example, the right condition, directions


def loss(wins, ties, log_nu, strengths):
    first, second = np.triu_indices(len(wins), 1)
    one, two = strengths[first], strengths[second]
    middle = log_nu + (one + two) / 2
    whole = np.logaddexp(np.logaddexp(one, two), middle)
    return -(
        wins[first, second] @ (one - whole)
        + wins[second, first] @ (two - whole)
        + ties[first, second] @ (middle - whole)
    )


def test_a_method_that_never_won_has_odds_where_ties_tie_it_to_others():
    wins, ties = np.array([[0, 1, 1], [8, 0, 8], [0, 0, 0.0]]), np.array([[0, 0, 2], [0, 0, 1], [2, 1, 0.0]])
    found = fit(wins, ties)
    best = minimize(lambda x: loss(wins, ties, x[0], np.array([x[1], x[2], 0.0])), np.zeros(3), tol=1e-12)
    assert found.strengths[:2] - found.strengths[2] == pytest.approx(best.x[1:], abs=1e-4)
    assert np.log(found.nu) == pytest.approx(best.x[0], abs=1e-4)


def moves_of(wins, ties):
    """What each outcome that was seen asks of a move (rows, methods + 1): rows @ move <= 0; and the move's bounds."""
    methods, with_ties, rows = len(wins), ties.sum() > 0, []
    for one, two in combinations(range(methods), 2):
        scores = np.zeros((3, methods + 1))
        scores[0, one] = scores[1, two] = scores[2, methods] = 1
        scores[2, [one, two]] = 0.5
        for seen, times in enumerate((wins[one, two], wins[two, one], ties[one, two])):
            others = [at for at in range(3 if with_ties else 2) if at != seen]
            rows += [scores[at] - scores[seen] for at in others] if times else []
    return np.array(rows), [(-1, 1)] * methods + [(-1, 1) if with_ties else (0, 0)]


def farthest(rows, bounds, goal):
    """How far a move can go along a goal, by a linear programme."""
    return -linprog(-goal, A_ub=rows, b_ub=np.zeros(len(rows)), bounds=bounds).fun


def tables(generator, methods):
    """Sparse wins and ties of so many methods."""
    wins = generator.poisson(generator.choice([0.3, 0.7, 2.0]), (methods, methods)).astype(float)
    ties = np.triu(generator.poisson(generator.choice([0.0, 0.3, 1.0]), (methods, methods)).astype(float), 1)
    np.fill_diagonal(wins, 0)
    return wins, ties + ties.T


def test_a_fit_exists_exactly_where_no_move_makes_what_was_seen_likelier():
    """The circles of wins and ties say the same as a linear programme does."""
    generator, bounded, met = np.random.default_rng(5), 0, 0
    for _ in range(150):
        wins, ties = tables(generator, int(generator.integers(2, 5)))
        if (wins + ties).any():
            found = separation(wins[None], ties[None])
            rows, bounds = moves_of(wins, ties)
            likelier = farthest(rows, bounds, -rows.sum(axis=0)) > 1e-7
            assert bool(found.bounded[0]) == (bool(found.met[0]) and not likelier)
            bounded += bool(found.bounded[0])
            met += bool(found.met[0])
    assert 30 < bounded < met - 30  # both come often enough


def test_a_difference_without_a_bound_is_infinite_where_it_can_move_one_way_alone():
    generator, infinite = np.random.default_rng(6), 0
    for _ in range(40):
        wins, ties = tables(generator, 3)
        if not (wins + ties).any():
            continue
        rows, bounds = moves_of(wins, ties)
        moves = fits(wins[None], ties[None])
        for one, two in combinations(range(3), 2):
            goal = np.eye(4)[one] - np.eye(4)[two]
            ways = farthest(rows, bounds, goal) > 1e-7, farthest(rows, bounds, -goal) > 1e-7
            if ways[0] != ways[1]:
                assert moves.differences[0, one, two] == (np.inf if ways[0] else -np.inf)
                infinite += 1
            else:
                assert not np.isinf(moves.differences[0, one, two])
        if ties.any():
            assert (moves.nu[0] == np.inf) == (farthest(rows, bounds, np.eye(4)[3]) > 1e-7)
    assert infinite > 10


def test_comparisons_without_a_loss_are_infinite_and_an_interval_that_holds_such_has_no_ends():
    comparisons = Comparisons(np.array([1.0, 1.0, -1.0]), np.array([[0, 1]] * 3), 2)
    found = comparisons.fits(np.array([[1.0, 1, 1], [1, 1, 0], [0, 1, 1]]))
    assert found.strengths[0] == pytest.approx(comparisons.fit(np.ones(3)).strengths)
    assert found.strengths[1].tolist() == [np.inf, -np.inf]
    assert (found.nu == 0).all()
    draws = np.where(np.arange(1000) < 40, np.inf, 0.5)  # 4 %, more than the tail
    of_pairs = _with_ends(0.5, draws)
    assert (of_pairs.value, of_pairs.low, of_pairs.high) == (0.5, None, None)
    assert _with_ends(0.5, np.arange(1000) / 1000).high is not None


def test_many_fits_are_each_ones_fit():
    generator = np.random.default_rng(8)
    wins, ties = generator.integers(1, 9, (20, 4, 4)).astype(float), generator.integers(0, 4, (20, 4, 4)).astype(float)
    ties += ties.transpose(0, 2, 1)
    wins[:, range(4), range(4)] = ties[:, range(4), range(4)] = 0
    found = fits(wins, ties)
    for at in range(20):
        alone = fit(wins[at], ties[at])
        assert found.strengths[at] == pytest.approx(alone.strengths, abs=1e-8)
        assert found.nu[at] == pytest.approx(alone.nu, abs=1e-8)


@pytest.mark.parametrize(
    ("wins", "ties", "reason"),
    [
        ([[0, 2, 0], [1, 0, 0], [0, 0, 0]], [[0, 1, 0], [1, 0, 0], [0, 0, 0]], "never compared"),
        ([[0, 2, 1], [1, 0, 3], [0, 0, 0]], [[0, 1, 0], [1, 0, 0], [0, 0, 0]], "never preferred or equal"),
        ([[0, 2, 0], [0, 0, 0], [0, 0, 0]], [[0, 1, 1], [1, 0, 1], [1, 1, 0]], "more wins than ties"),
    ],
)
def test_each_way_to_have_no_fit_has_its_reason(wins, ties, reason):
    with pytest.raises(UndefinedError, match=reason):
        fit(np.array(wins, float), np.array(ties, float))


# Several methods


def test_differences_of_strengths_and_simultaneous_intervals(few_draws):
    generator = np.random.default_rng(2)
    strengths, pairs = np.array([0.8, 0.0, -0.8]), list(combinations(range(3), 2))
    values, methods, items, raters = [], [], [], []
    for item in range(60):
        one, two = pairs[item % 3]
        for rater in range(12):
            odds = strengths[one] - strengths[two] + generator.logistic()
            values.append(0.0 if abs(odds) < 0.5 else np.sign(odds))
            methods.append((one, two))
            items.append(item)
            raters.append(rater)
    ratings = Ratings(np.array(values), np.array(items), np.array(raters), np.arange(60))
    found = method_strengths(ratings, np.array(methods), 3)
    assert [one.value for one in found.strengths] == sorted((one.value for one in found.strengths), reverse=True)
    for (one, two), contrast in found.contrasts.items():
        expected = found.strengths[one].value - found.strengths[two].value
        assert contrast.estimate.value == pytest.approx(expected)
        assert contrast.estimate.low > 0
        assert contrast.p <= contrast.adjusted < 0.05
    assert max(contrast.adjusted for contrast in found.contrasts.values()) >= 2 * min(
        contrast.p for contrast in found.contrasts.values()
    )


def test_simultaneous_intervals_hold_at_once_and_are_those_of_one_where_there_is_one():
    draws = np.random.default_rng(0).normal(size=(4000, 5))
    found = simultaneous([0.0] * 5, draws)
    inside = np.all([(one.low <= of) & (of <= one.high) for one, of in zip(found, draws.T, strict=True)], axis=0)
    assert inside.mean() == pytest.approx(0.95, abs=0.005)
    assert np.mean([one.high for one in found]) == pytest.approx(norm.ppf(0.5 + 0.95 ** (1 / 5) / 2), abs=0.1)
    (alone,) = simultaneous([0.0], draws[:, :1])
    assert (alone.low, alone.high) == pytest.approx((estimate(0.0, draws[:, 0]).low, estimate(0.0, draws[:, 0]).high))


def test_equivalence_is_two_one_sided_tests():
    generator = np.random.default_rng(3)
    equal = ratings_of(generator.choice([-1.0, 0.0, 1.0], (20, 40), p=[0.1, 0.8, 0.1]))
    better = ratings_of(generator.choice([-1.0, 0.0, 1.0], (20, 40), p=[0.05, 0.25, 0.7]))
    assert equivalence(equal, 0.75).p < 0.01
    one_sided = equivalence(better, 0.75)
    assert one_sided.first < 0.01
    assert one_sided.second == one_sided.p > 0.99
    few = equivalence(ratings_of(np.zeros((20, 3))), 0.75)
    assert few.p == pytest.approx(0.75**3)  # three pairs alike show no more


# Alpha, coefficients, majorities


@pytest.mark.parametrize("level", ["nominal", "ordinal"])
def test_alpha_of_many_resamples_is_the_librarys(level):
    generator = np.random.default_rng(6)
    counts = generator.integers(0, 5, (30, 4))
    weights = generator.integers(0, 4, (8, 30))
    found = krippendorff_alphas(counts, weights, level)
    for row, value in zip(weights, found, strict=True):
        repeated = np.repeat(counts, row, axis=0)
        theirs = krippendorffs(
            value_counts=repeated[repeated.sum(axis=1) > 1], value_domain=np.arange(4), level_of_measurement=level
        )
        assert value == pytest.approx(theirs, abs=1e-12)


def test_bca_is_scipys():
    generator = np.random.default_rng(9)
    data = generator.exponential(size=40)
    draws = generator.choice(data, (20_000, 40)).var(axis=1)
    left_out = np.array([np.delete(data, at).var() for at in range(40)])
    found = bca(data.var(), draws, left_out)
    theirs = bootstrap((data,), np.var, n_resamples=20_000, method="BCa", rng=1).confidence_interval
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), rel=0.08)
    assert found.high > estimate(data.var(), draws).high * 1.05  # the percentiles are too low


def test_alpha_of_a_study_has_the_corrected_interval():
    ratings = simulate(np.random.default_rng(3), Size(25, 10)).ratings
    found = alpha(ratings, "ordinal")
    counts = value_counts(ratings.matrix())
    draws = krippendorff_alphas(counts, Resamples.of(ratings).items, "ordinal")
    assert np.mean(draws) < found.value  # resampled alpha is too low
    assert found.low > estimate(found.value, draws).low
    assert found.high > estimate(found.value, draws).high


def test_alpha_says_that_few_pairs_are_too_few_and_refuses_one_item():
    generator = np.random.default_rng(0)
    assert alpha(ratings_of(generator.integers(0, 2, (10, 8)).astype(float)), "nominal").note == TOO_NARROW
    assert alpha(ratings_of(generator.integers(0, 2, (10, 15)).astype(float)), "nominal").note == ""
    with pytest.raises(UndefinedError, match="one item alone"):
        alpha(ratings_of(generator.integers(0, 2, (10, 1)).astype(float)), "nominal")


def test_coefficients_of_resamples_are_those_of_repeated_items():
    generator = np.random.default_rng(7)
    people, metric = generator.integers(0, 7, (6, 20)) / 6, generator.integers(0, 9, 20) / 4
    weights = generator.integers(0, 3, (6, 20)).astype(float)
    own = (
        pearson,
        spearman,
        coefficients.kendall,
        coefficients.ordered_alike,
        coefficients.same_side,
        coefficients.same_of_three,
        coefficients.auc,
    )
    for coefficient in own:
        for row, value in enumerate(
            coefficient(people - 0.5 * (coefficient is coefficients.same_side), metric, weights)
        ):
            at = np.repeat(np.arange(20), weights[row].astype(int))
            alone = people[row, at] - 0.5 * (coefficient is coefficients.same_side)
            assert value == pytest.approx(float(coefficient(alone, metric[at], None)))
            if coefficient is spearman:
                assert value == pytest.approx(spearmanr(alone, metric[at]).statistic)
            if coefficient is coefficients.kendall:
                assert value == pytest.approx(kendalltau(alone, metric[at]).statistic)


def test_one_rule_for_ties_in_a_majority():
    """Split evenly, people say neither: left out by the report's coefficients as by the judge's check."""
    assert np.array_equal(majority(np.array([0.2, 0.5, 0.8, np.nan])), [0, np.nan, 1, np.nan], equal_nan=True)
    people, metric = np.array([1.0, 0.75, 0.5, 0.25, 0.0, 0.5]), np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0])
    decided = people != 0.5
    for coefficient in (coefficients.phi, coefficients.kappa, coefficients.auc):
        assert coefficient(people, metric, None) == pytest.approx(
            float(coefficient(people[decided], metric[decided], None))
        )
    assert coefficients.phi(people, metric, None) == pytest.approx(np.corrcoef([1, 1, 0, 0], [1, 0, 0, 0])[0, 1])
    votes = np.array([[1, 1, 1, 0, 0, 1], [1, 1, 0, 0, 0, 0.0]])
    found = correlate(ratings_of(votes), np.array([1.0, 0, 1, 0, 0, 1]), {"phi": coefficients.phi})
    assert (found.items, found.split) == (6, 2)


# Coverage: short, by a seed; the large tables are of ``python -m benchmarks coverage``


def test_intervals_of_a_study_hold_what_they_claim(few_draws):
    found = coverage(Size(25, 12), studies=40, populations=6)
    assert len(found) == 17
    for name, held in found.items():
        assert held.intervals >= 36, name
        assert held.share >= 0.825, (name, held.share)
    assert np.mean([held.share for held in found.values()]) > 0.93


def test_shares_near_1_hold_what_they_claim(few_draws):
    """At a share of 99.5 %, intervals by resampling alone hold it in 56 %: most studies have no other vote."""
    generator, size = np.random.default_rng(0), Size(25, 12, effect=11)
    truth, held, alike = true_wins(generator, size), 0, 0
    assert truth == pytest.approx(0.995, abs=1e-3)
    for _ in range(60):
        ratings = simulate(generator, size).ratings
        wins = outcomes(ratings).wins
        held += wins.low <= truth <= wins.high
        alike += ratings.values.min() == 1
    assert alike > 15
    assert held / 60 >= 0.93


def test_equal_methods_are_seldom_told_apart(few_draws):
    found = rivals_of(4, studies=30, raters=6, seed=4)
    assert found.sign_test > 0.1  # the best of six
    assert max(found.with_holm, found.strength, found.contrast) <= 0.1
    assert false_equivalence(60) <= 0.12


def test_resamples_take_raters_and_pairs_each_on_their_own():
    ratings = ratings_of(np.arange(12.0).reshape(3, 4), cells=[0, 0, 1, 1])
    resamples = Resamples.of(ratings, 50, 1)
    for at in range(50):
        raters = np.repeat(np.arange(3), resamples.raters[at].astype(int))
        items = np.repeat(np.arange(4), resamples.items[at].astype(int))
        drawn = ratings.matrix()[np.ix_(raters, items)]
        assert resamples.means(ratings.values)[at] == pytest.approx(drawn.mean())
        assert resamples.item_means[at][items] == pytest.approx(drawn.mean(axis=0))
    assert isinstance(resamples.estimate(1.0, np.ones(50)), Estimate)
    assert replace(ratings, values=ratings.values * 2).item_means() == pytest.approx(2 * ratings.item_means())


def test_a_mixed_model_that_is_not_installed_is_left_out_and_said(monkeypatch):
    from benchmarks import mixed_model

    monkeypatch.setattr(mixed_model, "which", lambda program: None)
    monkeypatch.setattr(mixed_model, "find_spec", lambda name: None)
    text = mixed_model.run()
    assert "lme4 is left out: R with lme4 is not installed" in text
    assert "statsmodels is left out: it is not installed" in text
    assert "|" not in text  # no table
