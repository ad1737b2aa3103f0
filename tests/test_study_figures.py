"""What a report says at the edges of what votes define: people who vote all alike, few of them, several methods."""

import json

import pytest

from lorarar.store import Store
from studies.creation.create import StudyRequest, new_study
from studies.rater.trials import trials_of
from studies.rater.votes import Screen
from studies.rendering import as_json, as_markdown, as_tables, from_json, interval_text
from studies.reports.report import make_report
from studies.rules import StudyRules
from studies.sessions import open_study
from studies.simulate import simulate
from studies.store import StudyStore

from .studies_database import add_verdicts, make_database
from .test_study_report import add_scores, figure

SCREEN = Screen("half", columns=100, rows=24, cell_width=10, cell_height=20, picture_width=50, picture_height=44)
MANY = ("can", "cat", "dog", "owl", "teapot")
METHODS = ("alpha", "beta", "gamma")


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    path = make_database(tmp_path_factory.mktemp("grid"), methods=METHODS, subjects=MANY, seeds=1)
    add_verdicts(path, lambda method, subject, style, seed: (subject in ("can", "dog"), len(style) % 2 == 0))
    with Store(path) as store:
        for name, kind, methods in (
            ("two", "ab", METHODS[:2]),
            ("three", "ab", METHODS),
            ("single", "absolute", METHODS[:1]),
        ):
            rules = StudyRules(margin=0.5 if name == "three" else None)
            new_study(store, StudyRequest(name, kind, methods, "random", items=15, rules=rules))
    return path


def vote(store, name, code, answer_of):
    """Vote on everything: ``answer_of`` gets an item's number and says the answer by place."""
    study, session = StudyStore(store).get(name), open_study(store, name, code)
    trials = trials_of(study.design, code)
    session.consent()
    while shown := session.current():
        trial = trials[shown.number]
        mirror = {"left": "right", "right": "left"} if trial.mirrored else {}
        answer = answer_of(trial.item.number)
        session.vote(mirror.get(answer, answer), 2, SCREEN)


def toward(study, method):
    """Vote for a method wherever it is shown; else neither."""

    def answer(item):
        names = [source.method for source in study.origins[item].sources]
        return ("left", "right")[names.index(method)] if method in names else "similar"

    return answer


def test_votes_that_are_all_ties(store):
    for code in ("ONE", "TWO"):
        vote(store, "two", code, lambda item: "similar")
    made = make_report(store, "two")
    left = figure(made, "study", "left")
    assert (left.value, left.note) == (None, "no vote is for a side")
    ties = figure(made, "outcomes", "comparable")
    assert (ties.value, ties.high) == (1.0, 1.0)
    assert ties.low == pytest.approx(0.796, abs=1e-3)  # Wilson's, of 15
    assert figure(made, "model", "strengths").note == "neither method was ever preferred, so nu has no bound"
    assert interval_text(ties) == "0.796 to 1.000"


def test_all_for_one_method_and_one_rater(store):
    study = StudyStore(store).get("two")
    vote(store, "two", "ONE", toward(study, "beta"))
    made = make_report(store, "two")
    wins = figure(made, "outcomes", "alpha better")
    assert (wins.value, wins.low) == (0.0, 0.0)
    assert wins.high == pytest.approx(0.204, abs=1e-3)
    assert figure(made, "outcomes", "preference").high < -0.5
    assert "how raters differ" in wins.note
    assert figure(made, "agreement", "human ceiling").value is None


def test_the_intervals_of_one_rater_say_what_they_leave_out(store):
    study = StudyStore(store).get("two")
    vote(store, "two", "ONE", lambda item: toward(study, "beta" if item % 3 else "alpha")(item))
    made = make_report(store, "two")
    for name in ("alpha better", "preference"):
        assert "how raters differ is not in the interval" in figure(made, "outcomes", name).note
    assert figure(made, "model", "log odds of alpha").value is not None


def test_two_raters_keep_every_value_whose_interval_is_refused(store):
    study = StudyStore(store).get("two")
    vote(store, "two", "ONE", toward(study, "alpha"))
    vote(store, "two", "TWO", lambda item: toward(study, "alpha" if item % 5 else "beta")(item))
    made = make_report(store, "two")
    odds = figure(made, "model", "log odds of alpha")
    assert odds.value > 0
    assert (odds.high, "no upper bound" in odds.note) == (None, True)
    assert interval_text(odds).startswith("from ")
    assert json.loads(as_json(made))["figures"]
    assert from_json(as_json(made)) == made
    assert all(one.value is not None or one.note for one in made.figures)


def test_several_methods_are_ranked_tested_together_and_against_a_margin(store):
    study = StudyStore(store).get("three")
    for rater, code in enumerate(("ONE", "TWO", "THREE", "FOUR")):
        vote(store, "three", code, lambda item, by=rater: ("left", "right", "similar")[(item * 7 + by) % 3])
    made = make_report(store, "three")
    for pair in ("alpha against beta", "alpha against gamma", "beta against gamma"):
        raw, adjusted = (figure(made, "outcomes", name, pair) for name in ("sign test p", "sign test p, Holm-adjusted"))
        assert raw.value <= adjusted.value <= 1
        assert figure(made, "outcomes", "equivalence p", pair).value <= 1
        difference = figure(made, "model", "difference of log strengths", pair)
        one, two = (figure(made, "model", f"log strength of {name}").value for name in pair.split(" against "))
        assert difference.value == pytest.approx(one - two)
        assert 0 < figure(made, "model", "p, Holm-adjusted", pair).value <= 1
    assert len(study.methods) == 3
    assert "Ranking" in as_markdown(made)
    assert "Ranking" in [table.title for table in as_tables(made)]


def test_scores_that_are_not_of_the_items_own_references_count_nowhere_and_that_is_said(store):
    path = store.path
    simulate(store, "single", 6, 0.3)
    add_scores(path, "dino", "elsewhere", lambda m, c, s, seed: len(c) + len(s), against="other references")
    add_scores(path, "brightness", "nobody's", lambda m, c, s, seed: len(c) + len(s) / 9, against="one")
    made = make_report(store, "single", simulated=True)
    dino = figure(made, "correlation", "Pearson r", "DINO (elsewhere), style")
    assert (dino.value, "against other references" in dino.note) == (None, True)
    assert "lorarar judge run --metrics dino" in dino.note
    assert figure(made, "correlation", "Pearson r", "brightness (nobody's), style").value is not None
    add_scores(path, "brightness", "nobody's", lambda m, c, s, seed: 3.0, against="two")
    made = make_report(store, "single", simulated=True)
    twice = figure(made, "correlation", "Pearson r", "brightness (nobody's), style")
    assert (twice.value, "against several things each" in twice.note) == (None, True)
    assert not [one for one in made.figures if one.name == "difference of r" and "elsewhere" in one.of]


def test_majorities_say_how_many_items_are_split_evenly(store):
    vote(store, "single", "ONE", lambda item: ("both", "neither")[item % 2])
    vote(store, "single", "TWO", lambda item: ("both", "neither")[(item // 2) % 2])
    made = make_report(store, "single")
    of_subject = {one.name: one for one in made.figures if one.of == "MARS2 (scripted), subject"}
    r, kappa = of_subject["point-biserial r"], of_subject["Cohen kappa (majority)"]
    split = r.n - kappa.n
    assert split > 3
    assert f"{split} items on which people are split evenly left out" in kappa.note
