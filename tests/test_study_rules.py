"""What is fixed before voting: rules that are kept with the study, that raters never see and that refuse nonsense."""

import json

import pytest
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.store import Store
from studies.creation.create import StudyRequest, new_study
from studies.errors import StudyError
from studies.rules import Drawing, StudyRules
from studies.store import StudyStore

from .studies_database import make_database

RULES = StudyRules(
    most_failed_checks=1,
    least_seconds=1.5,
    least_repeats_alike=0.5,
    exclude_small_pictures=True,
    finished_only=True,
    margin=0.5,
    primary="comparable",
)
FLAGS = (
    *("--most-failed-checks", "1", "--least-seconds", "1.5", "--least-repeats-alike", "0.5", "--margin", "0.5"),
    *("--exclude-small-pictures", "--finished-only", "--primary", "comparable"),
)


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("grid"))


@pytest.fixture
def database(grid, tmp_path):
    with Store(grid) as original:
        original.backup(tmp_path / "copy.db")
    return tmp_path / "copy.db"


@pytest.fixture
def store(database):
    with Store(database) as opened:
        yield opened


def request(name="first", kind="ab", methods=("alpha", "beta"), scenario="random", **more):
    return StudyRequest(name, kind, methods, scenario, **more)


def study(database, *arguments):
    result = CliRunner().invoke(app, ["study", *arguments, "--db", str(database)])
    assert result.exit_code == 0, result.output
    return result


def test_rules_are_kept_with_the_study_and_raters_see_nothing_of_them(store):
    ruled = new_study(store, request(rules=RULES))
    assert ruled.rules == RULES
    assert StudyStore(store).get("first") == ruled
    with pytest.raises(StudyError, match="this is the study first again"):
        new_study(store, request("second"))  # the digest, by which votes are known, knows no rules


def test_rules_are_given_as_flags_and_listed(database):
    said = json.loads(
        study(database, "new", "first", "--kind", "ab", "--methods", "alpha,beta", *FLAGS, "--json").stdout
    )
    (listed,) = json.loads(study(database, "list", "--json").stdout)
    assert said["rules"] == listed["rules"] == RULES.record()
    assert listed["drawing"] == Drawing().record()


@pytest.mark.parametrize(
    ("kind", "methods", "scenario", "primary"),
    [("ab", ("alpha", "beta"), "random", "preference"), ("absolute", ("alpha",), "random", "mars2")],
)
def test_every_new_study_names_a_primary_figure(store, kind, methods, scenario, primary):
    assert new_study(store, request("named", kind, methods, scenario)).rules.primary == primary


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"most_failed_checks": -1}, "--most-failed-checks is -1; accepted are 0 to 1000"),
        ({"least_seconds": float("nan")}, "--least-seconds is nan"),
        ({"least_repeats_alike": 1.5}, "accepted are 0 to 1"),
        ({"margin": 1.0}, "a share between 0 and 1"),
        ({"margin": -0.1}, "--margin is -0.1"),
        ({"primary": "luck"}, "'luck'; accepted here are preference, comparable, mars2"),
        ({"primary": "shown"}, "accepted here are preference"),
    ],
)
def test_rules_that_make_no_sense_are_refused_before_anything_is_written(store, wish, message):
    with pytest.raises(StudyError, match=message):
        new_study(store, request(rules=StudyRules(**wish)))
    assert StudyStore(store).names() == []


def test_a_margin_is_for_two_methods(store):
    with pytest.raises(StudyError, match="--margin is for ab studies"):
        new_study(store, request("one", "absolute", ("alpha",), rules=StudyRules(margin=0.5)))


def test_rules_in_words():
    assert StudyRules().words == ["primary figure not named", "nobody is left out"]
    assert "raters who fail more than 1 attention checks" in RULES.exclusions
    assert "raters whose median answer takes less than 1.5 seconds" in RULES.exclusions
    assert len(RULES.exclusions) == 5
