"""What a study could find out: pairs are told from items, and the planner needs neither pictures nor a database."""

import json
from itertools import pairwise

import numpy as np
import pytest
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.store import Store
from lorarar.util.statistics.power import cells_of, pairs_needed, power, raters_needed, simulate
from studies.creation.create import StudyRequest, new_study
from studies.power import StudySize, power_sentence, study_powers
from studies.statistics.crossed import crossed_mean
from studies.statistics.ratings import Ratings

from .studies_database import make_database


def run(*arguments):
    return CliRunner().invoke(app, ["study", "power", *arguments])


@pytest.mark.parametrize(
    ("items", "pairs", "raters", "found"), [(100, 25, 10, 0.70), (100, 25, 25, 0.83), (50, 25, 25, 0.78)]
)
def test_more_items_of_the_same_pairs_help_less_than_more_pairs(items, pairs, raters, found):
    """The right values were found with the report's own interval over pairs, outside of this code."""
    said = power(items, raters, pairs=pairs)
    assert said.share == pytest.approx(found, abs=0.04)
    assert power(pairs, raters).share < said.share < power(items, raters).share


@pytest.mark.slow
def test_power_is_what_the_report_finds_where_a_pair_has_several_items(note):
    generator, found, studies = np.random.default_rng(3), 0, 200
    cells = cells_of(50, 25)
    for study in range(studies):
        votes = simulate(generator, 50, 25, 0.5, pairs=25)
        rows = [(votes[rater, item], item, rater, int(cells[item])) for rater in range(25) for item in range(50)]
        ratings = Ratings.of(rows)
        interval = crossed_mean(ratings, -1, 1, 300, study)
        found += interval.low > 0 or interval.high < 0
    said = power(50, 25, pairs=25).share
    note(f"50 items of 25 pairs x 25 raters at 0.5 logits: {said:.2f} said, {found / studies:.2f} found")
    assert found / studies == pytest.approx(said, abs=0.1)


def test_the_simulation_has_the_ties_and_the_spread_that_it_assumes():
    generator = np.random.default_rng(0)
    equal = simulate(generator, 400, 400, 0.0, ties=0.5)
    assert np.mean(equal == 0) == pytest.approx(0.5, abs=0.05)
    means = simulate(generator, 4000, 200, 0.0, pairs=1000).mean(axis=0)
    cells = cells_of(4000, 1000)
    of_pairs = np.bincount(cells, means) / 4
    between, within = of_pairs.var(), np.mean((means - of_pairs[cells]) ** 2) * 4 / 3
    noise = 2 / 3 / 200  # of a mean of 200 votes
    within, between = within - noise, between - (within - noise) / 4 - noise / 4
    assert between / (between + within) == pytest.approx(0.8, abs=0.05)
    assert list(cells_of(5, 2)) == [0, 1, 0, 1, 0] and list(cells_of(2, 5)) == [0, 1]


def test_what_is_needed_finds_what_was_wanted():
    pairs, raters = pairs_needed(0.8, 5), raters_needed(30, 0.8)
    assert power(pairs, 5, 0.8).share >= 0.8 and power(30, raters, 0.8).share >= 0.8
    assert pairs_needed(0.01, 2) is None and raters_needed(4, 0.3) is None
    assert raters_needed(60, 0.8, pairs=15) > raters_needed(60, 0.8)


def test_more_methods_share_the_items_and_the_level():
    size = StudySize(150, 25, methods=4)
    assert (size.comparisons, size.items_of_two, size.pairs_of_two) == (6, 25, 25)
    said = size.power(25)
    assert said.corrected < said.share == power(25, 25).share
    assert StudySize(25, 25).power(25).corrected == said.share


def test_the_command_answers_without_a_database(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    flags = {"items": 50, "pairs": 25, "raters": 5, "effect": 1.5, "ties": 1 / 3, "methods": 2}
    result = run(*(word for name, value in flags.items() for word in (f"--{name}", str(value))), "--json")
    said = json.loads(result.stdout)
    (one,) = said["power"]
    assert one["share"] == power(50, 5, 1.5, pairs=25).share
    assert (said["raters_needed"], one["pairs_needed"]) == (
        raters_needed(50, 1.5, pairs=25),
        pairs_needed(1.5, 5, each=2),
    )
    assert said["r"]["interval"] == pytest.approx([0.52, 0.89], abs=5e-3)  # over pairs, not over items
    assert list(tmp_path.iterdir()) == []
    table = run("--pairs", "10", "--methods", "3", "--raters", "5", "--effect", "2").stdout
    assert "10 items of 10 pairs for each two methods" in table and "after Holm" in table


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "say how large the study is: --items, --pairs, or both"),
        ("--items 0", "--items is 0; accepted here are 1 to 200000"),
        ("--items 2 --methods 3", "--items is 2; accepted here are 3"),
        ("--items 5 --methods 1", "--methods is 1; accepted here are 2"),
        ("--items 25 --effect nan", "--effect is nan"),
        ("--items 25 --ties 1", "--ties is 1; accepted here are 0 to 0.99"),
        ("--items 25 --raters 0", "--raters is 0; accepted here are 1 to 8000"),
        ("--items 10 --pairs 25", "--pairs is 25; accepted here are 1 to 10"),
        ("--items 1000000", "--items is 1000000; accepted"),
        ("--items 25 --power 1", "shares between 0 and 1"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(arguments, message):
    result = run(*arguments.split())
    assert result.exit_code == 1 and message in result.stderr


def test_a_new_study_says_the_power_of_its_pairs(tmp_path):
    with Store(make_database(tmp_path)) as store:
        twelve = new_study(store, StudyRequest("p12", "ab", ("alpha", "beta"), "random"))
        more = new_study(store, StudyRequest("p36", "ab", ("alpha", "beta"), "random", items=36))
        single = new_study(store, StudyRequest("abs", "absolute", ("alpha", "beta"), "random", items=24))
    assert StudySize.of_study(more) == StudySize(36, 12)
    shares = [one.share for study in (twelve, more) for one in study_powers(study, [25])]
    assert all(one < two for one, two in pairwise([*shares, power(36, 25).share]))
    assert "More pairs help more than more items" in power_sentence(twelve, study_powers(twelve, [5]))
    assert "24 items of 12 pairs" in power_sentence(single, []) and "0.33 to 0.93" in power_sentence(single, [])
