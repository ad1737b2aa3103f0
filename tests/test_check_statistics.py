"""The check's statistics against published examples and independent computations."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from judge.checks.people import calibration_words
from judge.checks.statistics.agreement import count_flips, kendall_tau, mcnemar
from judge.checks.statistics.calibration import (
    LabelledAnswer,
    ReportedAnswer,
    accuracy,
    brier,
    calibrate,
    calibration_error,
    rogan_gladen,
    temperature,
)
from judge.checks.statistics.discrimination import auroc_interval, nearness
from judge.verdicts import NOT_ASKED, Verdict
from lorarar.util.statistics.agreement import alpha_interval, auroc, cohen_kappa
from lorarar.util.statistics.proportions import proportion, wilson
from lorarar.util.statistics.undefined import UndefinedError

YES, NO = Verdict("ok", True, 0.9), Verdict("ok", False, 0.2)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)]
)
def test_wilson_is_newcombes(hits, n, low, high):
    """Newcombe 1998, Table I, method 3."""
    assert wilson(hits / n, n) == pytest.approx((low, high), abs=5e-5)
    found = proportion([k < hits for k in range(n)], range(n))
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert (found.hits, found.n, found.clusters) == (hits, n, n)


def test_answers_about_one_picture_are_not_observations_of_their_own():
    alone = proportion([k < 8 for k in range(40)], range(40))
    five_times = proportion([k < 8 for k in range(40) for _ in range(5)], [k for k in range(40) for _ in range(5)])
    assert (five_times.low, five_times.high) == pytest.approx((alone.low, alone.high))
    assert five_times.n == 200


def test_where_all_answers_are_one_the_pictures_count():
    found = proportion([False] * 100, [k // 10 for k in range(100)])
    assert (found.low, found.high) == pytest.approx(wilson(0, 10))


def test_no_answers_have_no_proportion():
    assert proportion([], []).value is None


def test_intervals_of_clustered_proportions_hold_what_they_say():
    rng, held = np.random.default_rng(0), 0
    for _ in range(400):
        own = rng.beta(2, 3, 40)  # each picture's chance; the mean is 0.4
        hits = rng.random((40, 6)) < own[:, None]
        found = proportion(hits.ravel().tolist(), np.repeat(range(40), 6).tolist())
        held += found.low <= 0.4 <= found.high
    assert 0.92 <= held / 400 <= 0.985


def test_mcnemar_by_hand():
    assert mcnemar(1, 5) == pytest.approx(2 * (1 + 6) / 2**6)
    assert mcnemar(0, 0) == 1.0


def test_kappa_of_cohens_textbook_table():
    """20 both yes, 5 and 10 split, 15 both no: 0.4."""
    one = [True] * 25 + [False] * 25
    two = [True] * 20 + [False] * 5 + [True] * 10 + [False] * 15
    assert cohen_kappa(one, two) == pytest.approx(0.4)
    assert cohen_kappa([True], [True]) is None
    assert cohen_kappa([], []) is None


def test_flips_are_counted_by_their_way_and_missing_answers_are_left_out():
    before = [YES, YES, NO, NO, NOT_ASKED]
    after = [YES, NO, NO, YES, YES]
    found = count_flips(before, after, ["a", "a", "b", "b", "c"])
    assert (found.rate.hits, found.rate.n, found.to_yes, found.to_no, found.missing) == (2, 4, 1, 1, 1)
    assert found.p == 1.0
    assert found.kappa == pytest.approx(0.0)
    assert found.logit.value == pytest.approx(0.0)
    assert count_flips([Verdict("ok", True, None)], [Verdict("ok", False, None)], "a").logit is None


def test_krippendorffs_own_examples():
    """Computing Krippendorff's Alpha-Reliability (2011): B, two observers, binary; C, four observers, data missing."""
    binary = zip("0100000010", "1110010000", strict=True)
    assert alpha_interval([list(unit) for unit in binary]).value == pytest.approx(0.095, abs=5e-4)
    observers = ("1233 2141 2...", "1233 2241 25.3", ".333 2342 251.", "1233 2441 251.")
    rows = [row.replace(" ", "") for row in observers]
    units = [[None if value == "." else value for value in unit] for unit in zip(*rows, strict=True)]
    assert alpha_interval(units).value == pytest.approx(0.743, abs=5e-4)


def test_alpha_has_an_interval_over_pictures():
    rng = np.random.default_rng(0)
    truth = rng.random(200) < 0.5
    units = [[bool(t != (rng.random() < 0.1)) for _ in range(6)] for t in truth]
    wide, narrow = alpha_interval(units, [k // 10 for k in range(200)]), alpha_interval(units)
    assert narrow.low < narrow.value < narrow.high
    assert wide.value == narrow.value
    assert alpha_interval([[True, True], [True, None]]) is None


def test_auroc_of_scikit_learns_example_and_of_mann_and_whitney():
    assert auroc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])) == 0.75
    rng = np.random.default_rng(1)
    scores, yes = rng.integers(0, 8, 200) / 4.0, rng.random(200) < 0.4
    expected = mannwhitneyu(scores[yes], scores[~yes]).statistic / (yes.sum() * (~yes).sum())
    assert auroc(scores, yes) == pytest.approx(expected)
    found = auroc_interval(scores.tolist(), yes.tolist(), range(200))
    assert found.low < found.value < found.high
    assert (found.yes, found.no) == (yes.sum(), (~yes).sum())
    assert auroc_interval([1.0, None], [True, False], [0, 1]) is None


def test_brier_of_scikit_learns_example():
    assert brier([0.1, 0.9, 0.8, 0.3], [False, True, True, False]) == pytest.approx(0.0375)


def test_calibration_error_by_hand():
    # bin 0.9 to 1: mean 0.95, right 1 of 2; bin 0.2 to 0.3: mean 0.25, right 0 of 2
    assert calibration_error([0.95, 0.95, 0.25, 0.25], [True, False, False, False]) == pytest.approx(
        0.5 * 0.45 + 0.5 * 0.25
    )
    assert calibration_error([1.0], [True]) == 0.0


def test_temperature_finds_how_much_too_sure_a_judge_is():
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 2, 20_000)
    truths = rng.random(20_000) < 1 / (1 + np.exp(-logits))
    said = 1 / (1 + np.exp(-2.5 * logits))
    assert temperature(said, truths) == pytest.approx(2.5, rel=0.05)
    with pytest.raises(UndefinedError, match="all correct answers are the same"):
        temperature([0.9, 0.8], [True, True])


def test_a_judge_that_points_the_wrong_way_has_no_temperature():
    """Its likelihood grows with T for ever, so the edge of a search is no value; a hair better, and there is one."""
    said = [0.9, 0.8, 0.3, 0.2]
    with pytest.raises(UndefinedError, match="no T is better"):
        temperature(said, [False, False, True, True])
    found = calibrate([LabelledAnswer(p, p > 0.5, p < 0.5, k) for k, p in enumerate(said)])
    assert (found.temperature, "no T is better" in found.no_temperature) == (None, True)
    assert "temperature not defined: no T is better" in calibration_words(found)
    flat = temperature([0.9, 0.89, 0.1, 0.1001], [True, False, False, True])
    assert flat > 50  # beyond where the search once ended
    four_of_five = temperature([0.9] * 4 + [0.1], [True, True, True, False, False])  # all are equally sure
    assert four_of_five == pytest.approx(np.log(9) / np.log(4), rel=1e-6)


def test_the_corrected_rate_is_rogan_and_gladens():
    assert rogan_gladen(0.773, 1000, 0.75, 100, 1.0, 100).value == pytest.approx(0.697, abs=5e-4)
    assert rogan_gladen(0.5, 100, 0.5, 50, 0.5, 50) is None
    assert rogan_gladen(0.05, 100, 0.9, 50, 0.9, 50).value == 0.0  # below what mistakes alone would give


@pytest.mark.parametrize(("theta", "q0", "q1"), [(0.3, 0.8, 0.9), (0.7, 0.95, 0.7), (0.05, 0.9, 0.9)])
def test_its_interval_holds_the_noise_of_the_calibration_too(theta, q0, q1):
    rng, held, naive, n, m0, m1 = np.random.default_rng(3), 0, 0, 200, 40, 60
    for _ in range(1500):
        p = rng.binomial(n, theta * q1 + (1 - theta) * (1 - q0)) / n
        found = rogan_gladen(p, n, rng.binomial(m0, q0) / m0, m0, rng.binomial(m1, q1) / m1, m1)
        held += found.low <= theta <= found.high
        low, high = wilson(p, n)
        naive += low <= theta <= high
    assert held / 1500 >= 0.935
    assert held > naive


def test_calibration_counts_each_known_answer_once():
    answers = [(0.9, True, True)] * 8 + [(0.2, False, True)] * 2 + [(0.1, False, False)] * 9 + [(None, True, False)]
    triples = [LabelledAnswer(*answer, cell) for cell, answer in enumerate(answers)]
    reported = [ReportedAnswer(k < 50, k) for k in range(100)]
    found = calibrate(triples, reported)
    assert (found.sensitivity.value, found.specificity.value) == (0.8, 0.9)
    assert found.corrected.value == pytest.approx((0.5 + 0.9 - 1) / 0.7)
    assert found.corrected.low < found.corrected.value < found.corrected.high
    alike = [ReportedAnswer(one.yes, k // 5) for k, one in enumerate(reported)]
    wider = calibrate(triples, alike).corrected
    assert wider.value == found.corrected.value
    assert wider.low < found.corrected.low or wider.high > found.corrected.high
    assert calibrate([], reported).corrected is None
    assert calibrate([LabelledAnswer(0.5, True, True, "cell")]).brier == 0.25


def test_a_judge_whose_skill_differs_by_cell_is_calibrated_by_cell():
    """Known answers of a cell are alike: taken one by one, intervals of sensitivity hold too little."""
    generator, by_cell, one_by_one, studies = np.random.default_rng(5), 0, 0, 400
    for _ in range(studies):
        skills = 1 / (1 + np.exp(-generator.normal(1.5, 1, 25)))  # of 25 cells, six known pictures each
        right = (generator.random((25, 6)) < skills[:, None]).ravel().tolist()
        known = [LabelledAnswer(None, hit, True, at // 6) for at, hit in enumerate(right)]
        found, naive = accuracy(known), proportion(right, range(150))
        by_cell += found.low <= 0.7785 <= found.high  # the mean of sigmoid(N(1.5, 1)), by quadrature
        one_by_one += naive.low <= 0.7785 <= naive.high
        assert found.worth <= naive.worth == 150
    assert 0.92 <= by_cell / studies <= 0.98
    assert one_by_one / studies < 0.9


def test_nearness_compares_pictures_of_one_cell_alone():
    near_and_far = {
        ("a", "x"): [(True, 1.0), (False, 2.0), (False, 0.5)],
        ("b", "x"): [(True, 90.0), (False, 100.0)],
        ("c", "x"): [(True, 3.0)],
    }
    assert nearness(near_and_far).value == pytest.approx((0.5 + 1) / 2)
    assert nearness({("c", "x"): [(True, 3.0)]}) is None


def test_tau_by_hand():
    ours = {"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.4}
    assert kendall_tau(ours, {"a": 0.1, "b": 0.2, "c": 0.5, "d": 0.4}) == pytest.approx((5 - 1) / 6)
    assert kendall_tau(ours, dict.fromkeys(ours, 0.5)) is None
    assert kendall_tau({"a": 0.1}, {"a": 0.1}) is None
