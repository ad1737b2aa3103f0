"""The statistics against published worked examples, independent implementations, and, for intervals, simulation."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize

from lorarar.util.statistics.agreement import krippendorff_alpha, value_counts
from lorarar.util.statistics.correlation import pearson, spearman
from lorarar.util.statistics.davidson import fit, two_methods
from lorarar.util.statistics.power import fisher_interval, power, simulate
from lorarar.util.statistics.undefined import UndefinedError
from studies.statistics import coefficients
from studies.statistics.agreement import alpha, consistency
from studies.statistics.correlation import correlate, difference
from studies.statistics.crossed import crossed_mean
from studies.statistics.outcomes import outcomes, sign_test
from studies.statistics.ratings import Ratings
from studies.statistics.reliability import reliability


def ratings_of(table, cells=None):
    """From (raters, items), NaN where there is no vote."""
    rows = [
        (table[rater, item], item, rater, item if cells is None else cells[item])
        for rater in range(table.shape[0])
        for item in range(table.shape[1])
        if not np.isnan(table[rater, item])
    ]
    return Ratings.of(rows)


# Agresti, Categorical Data Analysis (2nd edition, Table 10.10): wins of the American League's East in 1987, by row
TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
BASEBALL = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],
        [6, 0, 7, 5, 11, 9, 9],
        [4, 6, 0, 7, 7, 8, 12],
        [6, 8, 6, 0, 6, 7, 10],
        [6, 2, 6, 7, 0, 7, 12],
        [4, 4, 5, 6, 6, 0, 6],
        [2, 4, 1, 3, 1, 7, 0],
    ],
    float,
)
PUBLISHED = (1.581, 1.436, 1.294, 1.248, 1.108, 0.684, 0.0)  # log strengths, Baltimore's being 0


def test_bradley_terry_gives_agrestis_baseball():
    model = fit(BASEBALL, np.zeros_like(BASEBALL))
    assert model.strengths - model.strengths[-1] == pytest.approx(PUBLISHED, abs=5e-4)
    assert model.nu == 0


def test_bradley_terry_with_ties_is_the_maximum_of_its_likelihood():
    generator = np.random.default_rng(3)
    wins = generator.integers(1, 9, (4, 4)).astype(float)
    ties = np.triu(generator.integers(0, 6, (4, 4)).astype(float), 1)
    np.fill_diagonal(wins, 0)

    def loss(x):
        p, nu = np.exp(np.array([0, *x[:3]])), np.exp(x[3])
        total = 0.0
        for i in range(4):
            for j in range(i + 1, 4):
                middle = nu * np.sqrt(p[i] * p[j])
                whole = p[i] + p[j] + middle
                total -= wins[i, j] * np.log(p[i] / whole) + wins[j, i] * np.log(p[j] / whole)
                total -= ties[i, j] * np.log(middle / whole)
        return total

    best = minimize(loss, np.zeros(4), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 20000})
    model = fit(wins, ties + ties.T)
    assert model.strengths[1:] - model.strengths[0] == pytest.approx(best.x[:3], abs=1e-5)
    assert model.nu == pytest.approx(np.exp(best.x[3]), abs=1e-5)


@pytest.mark.parametrize("counts", [(30, 20, 10), (3, 1, 5), (200, 0, 150), (1, 99, 1)])
def test_the_closed_form_for_two_methods_is_the_fit(counts):
    wins, ties, losses = map(float, counts)
    closed = two_methods(wins, ties, losses)
    model = fit(np.array([[0, wins], [losses, 0]]), np.array([[0, ties], [ties, 0]]))
    assert closed.strengths == pytest.approx(model.strengths, abs=1e-8)
    assert closed.nu == pytest.approx(model.nu, abs=1e-8)


def test_strengths_without_a_bound_are_refused():
    with pytest.raises(UndefinedError, match="never preferred"):
        two_methods(5, 3, 0)
    with pytest.raises(UndefinedError, match="not by a chain"):
        fit(np.array([[0, 3, 1], [2, 0, 1], [0, 0, 0.0]]), np.zeros((3, 3)))


# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011): 4 observers, 12 units, missing data
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, np.nan, np.nan, np.nan],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, np.nan, 3],
        [np.nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, np.nan],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, np.nan],
    ]
)


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815)])
def test_alpha_gives_krippendorffs_own_example(level, published):
    assert krippendorff_alpha(value_counts(KRIPPENDORFF), level) == pytest.approx(published, abs=5e-4)
    found = alpha(ratings_of(KRIPPENDORFF), level)
    assert found.value == pytest.approx(published, abs=5e-4)
    assert found.low < published < found.high


def test_alpha_that_is_not_defined_says_why():
    with pytest.raises(UndefinedError, match="two raters"):
        alpha(ratings_of(KRIPPENDORFF[:1]), "nominal")
    with pytest.raises(UndefinedError, match="all answers are the same"):
        alpha(ratings_of(np.ones((3, 4))), "nominal")


def test_the_sign_test_gives_a_known_example():
    # ten deer, left hind leg longer than left foreleg in eight (Zar, Biostatistical Analysis, on the sign test)
    found = sign_test(ratings_of(np.array([[1.0] * 8 + [-1.0] * 2])))
    assert (found.better, found.worse, found.even) == (8, 2, 0)
    assert found.p == pytest.approx(0.109375)
    with pytest.raises(UndefinedError):
        sign_test(ratings_of(np.zeros((3, 4))))


def test_the_sign_test_is_over_pairs_not_over_votes():
    table = np.array([[1.0, 1, -1, 0]] * 9)
    found = sign_test(ratings_of(table, cells=[0, 0, 1, 2]))
    assert (found.better, found.worse, found.even, found.p) == (1, 1, 1, 1.0)


def test_cohens_kappa_and_phi_give_a_known_example():
    # 50 proposals, two readers: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no; kappa is 0.4
    people = np.repeat([1.0, 1.0, 0.0, 0.0], [20, 5, 10, 15])
    metric = np.repeat([1.0, 0.0, 1.0, 0.0], [20, 5, 10, 15])
    assert coefficients.kappa(people, metric) == pytest.approx(0.4)
    phi = (20 * 15 - 5 * 10) / np.sqrt(25 * 25 * 30 * 20)
    assert coefficients.phi(people, metric) == pytest.approx(phi)


def test_coefficients_agree_with_scipy():
    generator = np.random.default_rng(0)
    for _ in range(20):
        people = generator.integers(0, 6, 30) / 5
        metric = people + generator.normal(0, 0.5, 30).round(1)
        assert pearson(people, metric) == pytest.approx(stats.pearsonr(people, metric).statistic)
        assert spearman(people, metric) == pytest.approx(stats.spearmanr(people, metric).statistic)
        assert coefficients.kendall(people, metric) == pytest.approx(stats.kendalltau(people, metric).statistic)
        yes = people > 0.5
        u = stats.mannwhitneyu(metric[yes], metric[~yes]).statistic
        assert coefficients.auc(people, metric) == pytest.approx(u / yes.sum() / (~yes).sum())
        binary = (metric > 0.5).astype(float)
        assert pearson(people, binary) == pytest.approx(stats.pointbiserialr(binary, people).statistic)
        weights = generator.integers(0, 3, 30)
        repeated = np.repeat(people, weights), np.repeat(metric, weights)
        assert pearson(people, metric, weights.astype(float)) == pytest.approx(stats.pearsonr(*repeated).statistic)


def test_pairwise_agreement_counts_what_it_says():
    people, metric = np.array([0.5, -0.5, 0.0, 1.0]), np.array([2.0, 1.0, 0.0, 0.0])
    assert coefficients.same_side(people, metric) == pytest.approx((1 + 0 + 0.5) / 3)
    assert coefficients.same_of_three(people, metric) == pytest.approx(2 / 4)
    assert coefficients.ordered_alike(np.array([0, 0.5, 1]), np.array([1.0, 1.0, 3.0])) == pytest.approx(2.5 / 3)


def test_fishers_interval_is_the_textbooks():
    assert fisher_interval(0.76, 25) == pytest.approx((0.52, 0.89), abs=5e-3)


def test_outcomes_are_shares_of_votes():
    found = outcomes(ratings_of(np.array([[1.0, 1, 0, -1], [1, 0, 0, -1], [1, 1, np.nan, np.nan]])))
    assert [found.wins.value, found.ties.value, found.losses.value] == pytest.approx([0.5, 0.3, 0.2])
    assert found.comparable_or_better.value == pytest.approx(0.8)
    assert found.preference.value == pytest.approx(0.3)
    assert found.votes == 10


def test_one_against_the_others_is_each_rater_against_the_mean_of_the_others():
    generator = np.random.default_rng(1)
    table = np.sign(generator.normal(size=20) + generator.normal(0, 1, (6, 20)))
    table[2, 3] = np.nan
    table[5] = 1.0  # always the same: no r
    by_hand = []
    for rater in range(5):
        others = np.nanmean(np.delete(table, rater, axis=0), axis=0)
        at = ~np.isnan(table[rater])
        by_hand.append(np.corrcoef(table[rater, at], others[at])[0, 1])
    found = reliability(ratings_of(table))
    value = found.one_against_others
    assert found.raters == 5
    assert value.value == pytest.approx(np.mean(by_hand))
    assert value.low < value.value < value.high
    with pytest.raises(UndefinedError):
        reliability(ratings_of(np.ones((3, 5))))


def test_consistency_is_a_share_with_an_interval():
    found = consistency(ratings_of(np.array([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]])))
    assert found.value == pytest.approx(7 / 9)
    assert 0 <= found.low <= found.value <= found.high <= 1


@pytest.mark.parametrize(
    ("people", "metric", "message"),
    [
        ([[1, 0, 1, 0, 1, 0.0]], [1, 1, 1, 1, 1, 1], "the same score"),
        ([[1, 1, 1, 1, 1, 1.0]], [1, 0, 1, 1, 0, 1], "the same answers"),
        ([[1, 0, 1, 0, 1, 0.0]], [1, 0, 1, np.nan, np.nan, np.nan], "at least 5"),
    ],
)
def test_correlations_that_are_not_defined_say_why(people, metric, message):
    with pytest.raises(UndefinedError, match=message):
        correlate(ratings_of(np.array(people)), np.array(metric, float), {"r": pearson})


def test_metrics_are_compared_on_the_same_resamples():
    generator = np.random.default_rng(0)
    quality = generator.normal(size=40)
    votes = np.sign(quality + generator.normal(0, 0.7, (10, 40)))
    good, bad = quality + generator.normal(0, 0.3, 40), generator.normal(size=40)
    found = difference(ratings_of(votes), good, bad)
    assert found.low > 0
    assert difference(ratings_of(votes), good, good).low == 0


def covered(truth, intervals):
    return np.mean([low <= truth <= high for low, high in intervals])


@pytest.mark.slow
def test_crossed_intervals_cover_what_they_claim_and_those_of_votes_alone_do_not(note):
    generator = np.random.default_rng(7)
    effect, studies = 0.5, 200
    truth = simulate(generator, 3000, 3000, effect).mean()
    crossing, alone = [], []
    for study in range(studies):
        votes = simulate(generator, 25, 25, effect)
        ratings = ratings_of(votes)
        found = crossed_mean(ratings, -1, 1, 400, study)
        crossing.append((found.low, found.high))
        means = generator.choice(votes.ravel(), (400, votes.size)).mean(axis=1)
        alone.append(np.percentile(means, [2.5, 97.5]))
    shares = covered(truth, crossing), covered(truth, alone)
    note(f"nominal 95 %: crossed {shares[0]:.3f}, votes alone {shares[1]:.3f}, {studies} studies")
    assert 0.92 <= shares[0] <= 0.995
    assert shares[1] < 0.8


@pytest.mark.slow
def test_intervals_cover_where_a_pair_has_several_items(note):
    generator = np.random.default_rng(13)
    pairs, each, raters, studies = 25, 4, 10, 150
    cells = np.repeat(np.arange(pairs), each)

    def study(of_pairs):
        odds = 0.5 + np.repeat(generator.normal(0, 1, of_pairs), each) + generator.normal(0, 0.5, of_pairs * each)
        odds = odds + generator.normal(0, 0.25, (raters, 1)) + generator.logistic(size=(raters, of_pairs * each))
        return np.sign(np.where(np.abs(odds) < 0.6, 0, odds))

    truth = np.mean([study(2000).mean() for _ in range(200)])
    by_pair, by_item = [], []
    for number in range(studies):
        votes = study(pairs)
        for found, of in ((by_pair, cells), (by_item, None)):
            ratings = ratings_of(votes, of)
            got = crossed_mean(ratings, -1, 1, 300, number)
            found.append((got.low, got.high))
    shares = covered(truth, by_pair), covered(truth, by_item)
    note(
        f"{each} items a pair, nominal 95 %: over pairs {shares[0]:.3f}, over items {shares[1]:.3f}, {studies} studies"
    )
    assert shares[0] >= 0.9
    assert shares[1] < shares[0]


@pytest.mark.slow
def test_intervals_of_correlations_cover_what_they_claim(note):
    generator = np.random.default_rng(5)
    studies, raters, items = 100, 25, 50

    def study(count):
        quality = generator.normal(size=count)
        votes = np.sign((quality + generator.normal(0, 1, (raters, count))).round())
        return votes, quality + generator.normal(0, 0.8, count)

    votes, metric = study(200_000)
    truth = np.corrcoef(votes.mean(axis=0), metric)[0, 1]
    found = []
    for _ in range(studies):
        votes, metric = study(items)
        values = correlate(ratings_of(votes), metric, {"r": pearson}).values["r"]
        found.append((values.low, values.high))
    note(f"nominal 95 %: {covered(truth, found):.3f} of {studies} correlations of {truth:.2f}")
    assert 0.88 <= covered(truth, found) <= 1


@pytest.mark.slow
def test_power_is_what_the_report_would_find(note):
    generator = np.random.default_rng(11)
    found = 0
    for study in range(150):
        ratings = ratings_of(simulate(generator, 25, 25, 0.5))
        interval = crossed_mean(ratings, -1, 1, 300, study)
        found += interval.low > 0 or interval.high < 0
    said = power(25, 25).share
    note(f"25 items x 25 raters at 0.5 logits: {said:.2f} said, {found / 150:.2f} found")
    assert found / 150 == pytest.approx(said, abs=0.12)


def test_power_grows_with_items_more_than_with_raters():
    shares = [power(items, raters).share for items, raters in ((25, 5), (25, 25), (25, 50), (100, 25))]
    assert all(one < two for one, two in pairwise(shares))
    assert shares == pytest.approx([0.16, 0.58, 0.76, 0.99], abs=0.03)
    assert power(25, 25, effect=0.0).share < 0.08
