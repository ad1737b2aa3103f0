"""A study that is registered before anybody votes, and what is said of whether it kept to it."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from lorarar import __version__
from lorarar.cli.main import app
from lorarar.store import Store
from studies.creation.create import StudyRequest, new_study
from studies.errors import StudyError
from studies.power import StudySize
from studies.preregistration import default_hypotheses, deviations, preregister
from studies.preregistration_page import as_page
from studies.rater.votes import Screen, today
from studies.rules import StudyRules
from studies.sessions import open_study
from studies.simulate import simulate
from studies.store import StudyStore
from studies.store.preregistration import preregistration_of

from .studies_database import make_database

SCREEN = Screen("half", columns=100, rows=24, cell_width=10, cell_height=20, picture_width=50, picture_height=44)
RULES = StudyRules(most_failed_checks=0, margin=0.6)


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    path = make_database(tmp_path_factory.mktemp("grid"), methods=("alpha", "beta", "gamma"))
    with Store(path) as store:
        new_study(store, StudyRequest("ab", "ab", ("alpha", "beta"), "random", rules=RULES))
        new_study(store, StudyRequest("abs", "absolute", ("alpha",), "random"))
        new_study(store, StudyRequest("three", "ab", ("alpha", "beta", "gamma"), "random"))
    return path


def vote(store, code, name="ab", most=3):
    session = open_study(store, name, code)
    session.consent()
    for _ in range(most):
        session.vote("left", 1, SCREEN)


@pytest.fixture
def run(store):
    return lambda *arguments: CliRunner().invoke(app, ["study", *map(str, arguments), "--db", str(store.path)])


def test_what_is_registered_is_the_study_as_it_is(store):
    study = StudyStore(store).get("ab")
    registered = preregister(store, study, 12, ["alpha is better.", " Both are good. "])
    assert (registered.study_digest, registered.seed) == (study.design.digest, study.seed)
    assert registered.rules == RULES.record() | {"primary": "preference"}
    assert registered.hypotheses == ("alpha is better.", "Both are good.")
    assert (registered.raters, registered.votes) == (12, 0)
    assert registered.power["share"] == round(StudySize(12, 12).power(12).share, 3)
    assert (registered.version, registered.day) == (__version__, today())
    assert preregistration_of(store, study) == registered
    assert deviations(store, study) == ["12 raters planned, 0 voted"]


def test_the_page_says_it_all_and_is_the_same_again(store, run, tmp_path):
    page = tmp_path / "plan.md"
    done = run("preregister", "ab", "-o", page, "--raters", 20, "--json")
    said = json.loads(done.stdout)
    text = page.read_text()
    for words in (
        said["study_digest"],
        "Registered on " + today() + ", before anybody voted",
        "Of alpha and beta, people prefer one to the other",
        "alpha and beta are equivalent: each is comparable or better in more than 60% of the votes.",
        "preference: wins minus losses",
        "raters who fail an attention check",
        "raters planned | 20",
        "12 of 12 subject-style pairs",
        f"lorarar {__version__}",
    ):
        assert words in " ".join(text.split())
    assert text.endswith(f"Digest of this registration: `{said['digest']}`\n")
    again = tmp_path / "again.md"
    assert run("preregister", "ab", "-o", again).exit_code == 0
    assert again.read_bytes() == page.read_bytes()
    assert preregistration_of(store, StudyStore(store).get("ab")).digest == said["digest"]
    listed = {row["name"]: row["preregistered"] for row in json.loads(run("list", "--json").stdout)}
    assert listed == {"ab": said["digest"], "abs": None, "three": None}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--raters", "21"], "was registered on"),
        (["--hypothesis", "Something else."], "stays as it is"),
    ],
)
def test_what_is_registered_cannot_be_changed(store, run, tmp_path, arguments, message):
    assert run("preregister", "ab", "-o", tmp_path / "plan.md", "--raters", 20).exit_code == 0
    done = run("preregister", "ab", "-o", tmp_path / "other.md", *arguments)
    assert done.exit_code == 1 and message in done.stderr
    assert not (tmp_path / "other.md").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--raters is missing: say how many raters are planned"),
        (["--raters", "5", "--hypothesis", " "], "a hypothesis is a line of 1 to 1000 characters"),
        (["--raters", "5", "--hypothesis", "one\ntwo"], "a hypothesis is a line"),
        (["--raters", "5", *["--hypothesis", "x"] * 21], "21 hypotheses; at most 20"),
        (["--raters", "90000"], "--raters is 90000; accepted here are 1 to"),
    ],
)
def test_what_cannot_be_registered_is_said_and_nothing_is_written(store, run, tmp_path, arguments, message):
    done = run("preregister", "ab", "-o", tmp_path / "plan.md", *arguments)
    assert done.exit_code == 1 and message in done.stderr
    assert preregistration_of(store, StudyStore(store).get("ab")) is None
    assert not (tmp_path / "plan.md").exists()


def test_after_the_first_vote_it_is_no_preregistration_and_that_is_said(store, run, tmp_path):
    simulate(store, "ab", 2, 0.3)
    vote(store, "PRACTICED", most=1)  # the item for practice alone
    vote(store, "EARLY")
    done = run("preregister", "ab", "-o", tmp_path / "plan.md", "--raters", 2)
    assert done.exit_code == 1 and "people have voted on the study ab already (2 votes)" in done.stderr
    assert run("preregister", "ab", "-o", tmp_path / "plan.md", "--raters", 1, "--after-votes").exit_code == 0
    assert "AFTER people had given 2 votes: this is no preregistration" in (tmp_path / "plan.md").read_text()
    assert deviations(store, StudyStore(store).get("ab")) == ["it was registered when people had given 2 votes"]


def test_a_study_that_kept_to_it_has_no_deviations(store):
    study = StudyStore(store).get("ab")
    assert deviations(store, study) == []  # nothing was registered
    preregister(store, study, 2)
    simulate(store, "ab", 3, 0.3)
    vote(store, "ANN")
    vote(store, "BOB")
    assert deviations(store, study) == []


def test_every_deviation_is_named(store):
    study = StudyStore(store).get("ab")
    preregister(store, study, 2)
    vote(store, "ANN")
    with store.writing():
        store.db.execute("UPDATE study_votes SET day = '2020-01-01' WHERE trial = 2")
        rules = RULES.record() | {"most_failed_checks": 1, "primary": "comparable"}
        store.db.execute("UPDATE studies SET seed = 7, rules = ? WHERE name = 'ab'", [json.dumps(rules)])
    changed = StudyStore(store).get("ab")
    assert deviations(store, changed) == [
        "most_failed_checks was 0 and is 1",
        "primary was 'preference' and is 'comparable'",
        "the seed was 0 and is 7",
        "1 vote that came in later had been given before it was registered",
        "2 raters planned, 1 voted",
    ]
    other = replace(changed, design=replace(changed.design, repeats=0))
    assert "the study shows something else" in deviations(store, other)


def test_a_registration_that_was_changed_is_refused(store):
    study = StudyStore(store).get("ab")
    preregister(store, study, 2)
    with store.writing():
        store.db.execute("""UPDATE study_preregistrations SET record = replace(record, '"raters": 2', '"raters": 3')""")
    with pytest.raises(StudyError, match="was changed afterwards"):
        deviations(store, study)


def test_what_is_expected_follows_from_the_study(store):
    ab, absolute, three = map(StudyStore(store).get, ("ab", "abs", "three"))
    assert [len(default_hypotheses(study)) for study in (ab, absolute, three)] == [2, 1, 1]
    assert "MARS2 says of pictures of alpha what people say" in default_hypotheses(absolute)[0]
    assert "every two of alpha, beta and gamma" in default_hypotheses(three)[0]
    comparable = replace(three, rules=StudyRules(primary="comparable"))
    assert default_hypotheses(comparable) == [
        "alpha is comparable to beta and gamma or better in more than half of the votes."
    ]
    shown = replace(absolute, rules=StudyRules(primary="shown"))
    assert "how often people see subject and style" in default_hypotheses(shown)[0]
    old = replace(absolute, rules=StudyRules())
    assert default_hypotheses(old) == default_hypotheses(shown)


def test_pages_of_other_kinds_of_studies(store):
    studies = StudyStore(store)
    single = as_page(preregister(store, studies.get("abs"), 5))
    assert "a correlation of 0.76 has an interval of 0.33 to 0.93" in single
    assert "Pearson's r of people's answers with MARS2" in single
    several = as_page(preregister(store, studies.get("three"), 5, ["a | b <b>*c*</b>"]))
    assert "adjusted by Holm's method" in several
    assert "<b>" not in several and "a \\| b" in several


def test_deleting_a_study_takes_its_registration_along(store, run):
    preregister(store, StudyStore(store).get("ab"), 5)
    assert run("delete", "ab", "--yes").exit_code == 0
    assert store.rows("SELECT count(*) AS n FROM study_preregistrations") == [{"n": 0}]
