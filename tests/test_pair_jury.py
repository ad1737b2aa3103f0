"""A jury about pairs: the majority of every cell by one rule, each member beside it, and how far they agree."""

import csv
import io
import json
from collections import Counter
from itertools import product

import numpy as np
import pytest
from krippendorff import alpha

from judge.critics.kind import CriticKind
from judge.pair_questions import PAIRS
from judge.pairwise.cells import match
from judge.pairwise.jury import majority_aspect
from judge.pairwise.outcomes import AspectOutcome
from judge.pairwise.run import judge_pairs
from judge.pairwise.store import PairStore
from judge.targets import from_store
from lorarar.store import Store
from tests.studies_database import SEEDS, STYLES, SUBJECTS, add_verdicts, make_database
from tests.test_pairwise import Planted, alpha_better

CELLS = len(SUBJECTS) * len(STYLES) * SEEDS


def beta_better(first, second, aspect):
    return "Second" if first < second else "First"


def ask(path, **rules):
    for name, rule in rules.items():
        with Store(path) as store:
            judge_pairs(match(from_store(store)), Planted(rule, name=name), PAIRS, PairStore(store))


@pytest.fixture
def database(tmp_path):
    return make_database(tmp_path, side=8)


@pytest.fixture
def report(database, run):
    def read(*names, more=(), form="--json"):
        flags = [flag for name in names for flag in ("--critic", name)]
        result = run("judge", "report", *flags, *more, "--db", database, form)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout) if form == "--json" else result.stdout

    return read


def decide(values):
    one = majority_aspect([AspectOutcome(value) for value in values])
    return one.value, one.disagrees


@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_rule_of_ties_says_the_same_whatever_missing_critics_would_have_said(size):
    """An outcome stands exactly where all that the missing ones could say come to it."""
    for values in product((1, 0, -1, None), repeat=size):
        filled = product(*([value] if value is not None else (1, 0, -1) for value in values))
        outcomes = {decide(whole)[0] for whole in filled}
        assert decide(values)[0] == (outcomes.pop() if len(outcomes) == 1 else None), values


def test_more_than_half_decide_and_else_it_is_a_tie_without_a_majority():
    assert decide([1, 1, -1]) == (1, False) and decide([0, 0, 1]) == (0, False)
    assert decide([1, 0, -1]) == decide([1, -1]) == decide([1, 1, 0, 0]) == (0, True)
    assert decide([1, None]) == (None, False) and decide([1, 1, None]) == (1, False)


def test_the_majority_is_reported_with_its_strengths_each_members_figures_and_their_agreement(database, report):
    ask(database, one=alpha_better, two=beta_better, three=alpha_better)
    pairs = report("one", "two", "three")["pairs"]
    both = [tally for tally in pairs["tallies"] if tally["in"] == "both"]
    assert [(tally["wins"], tally["losses"], tally["no_majority"]) for tally in both] == [(CELLS, 0, None)]
    assert pairs["judge"]["critic"] == "the majority of one, two and three" and pairs["no_majority"] == 0
    jury = pairs["jury"]
    assert [member["name"] for member in jury["members"]] == ["one", "two", "three"]
    assert [member["tallies"][0]["wins"] + member["tallies"][0]["losses"] for member in jury["members"]] == [CELLS] * 3
    assert [member["tallies"][0]["losses"] for member in jury["members"]] == [0, CELLS, 0]
    assert (jury["questions"], jury["answered_by_all"], jury["alike"], jury["tied"]) == (2 * CELLS, 2 * CELLS, 0, 0)
    said = np.array([[1] * 2 * CELLS, [-1] * 2 * CELLS, [1] * 2 * CELLS])
    assert jury["alpha"] == pytest.approx(alpha(said, level_of_measurement="nominal"))
    assert [kappa["kappa"] for kappa in jury["kappas"]] == [0, None, 0]


def test_two_who_disagree_make_ties_and_who_is_silent_leaves_cells_unclear(database, report):
    ask(database, one=alpha_better, two=beta_better, silent=lambda *_: "Yes")
    pairs = report("one", "two")["pairs"]
    assert [(tally["ties"], tally["no_majority"]) for tally in pairs["tallies"]] == [
        (CELLS, None if tally["in"] == "both" else CELLS) for tally in pairs["tallies"]
    ]
    assert (pairs["no_majority"], pairs["jury"]["tied"]) == (1, 2 * CELLS)
    pairs = report("one", "silent")["pairs"]
    assert {(tally["unclear"], tally["ties"]) for tally in pairs["tallies"]} == {(CELLS, 0)}
    assert pairs["jury"]["answered_by_all"] == 0
    assert list(pairs["reasons"]) == ["prose: the answer is 'Yes', not First, Second or Tie"]


def test_pictures_that_only_some_were_asked_about_are_unclear(database, report):
    ask(database, one=alpha_better, two=alpha_better)
    with Store(database) as store, store.writing():
        store.db.execute(
            "DELETE FROM pair_verdicts WHERE judge = (SELECT id FROM judges WHERE critic = 'two') AND aspect = 'style'"
        )
    tallies = {tally["in"]: tally for tally in report("one", "two")["pairs"]["tallies"]}
    assert (tallies["subject"]["wins"], tallies["style"]["unclear"], tallies["both"]["unclear"]) == (CELLS,) * 3


@pytest.mark.parametrize("form", ["table", "csv", "markdown", "latex"])
def test_every_form_has_the_jury(database, run, form):
    ask(database, one=alpha_better, two=beta_better)
    flags = ("--critic", "one", "--critic", "two", "--db", database)
    result = run("judge", "report", *flags, "--format", form)
    assert result.exit_code == 0, result.stderr
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(result.stdout)))
        assert [row["judge"] for row in rows] == ["majority"] * 3 + ["one"] * 3 + ["two"] * 3
    else:
        assert "each of the jury" in result.stdout and "majority" in result.stdout
    said = result.stderr if form == "csv" else result.stdout
    assert f"the jury of 2 critics: all answered {2 * CELLS} of {2 * CELLS} questions" in said


def test_the_page_and_the_calls_have_the_jury(database, run, report):
    import judge

    ask(database, one=alpha_better, two=beta_better)
    page = database.parent / "page.html"
    report("one", "two", more=("--gallery", page), form="--format=table")
    assert "By each of the jury" in page.read_text() and "the jury of 2 critics" in page.read_text()
    rows = judge.report(db=database, critic=["one", "two"])
    ties = {row.by: row.value for row in rows if row.name == "ties_both"}
    assert ties == {"majority": CELLS, "one": 0, "two": 0}
    assert {row.name for row in rows if row.name.startswith("pairs_")} >= {"pairs_alpha", "pairs_tied", "pairs_kappa"}


def test_a_jury_beside_verdicts_on_single_pictures_is_of_those_who_compared(database, report):
    ask(database, one=alpha_better, two=beta_better)
    for name in ("one", "two", "three"):
        add_verdicts(database, lambda *_: True, name)
    pairs = report("one", "two", "three")["pairs"]
    assert [member["name"] for member in pairs["jury"]["members"]] == ["one", "two"]


def test_a_member_who_said_nothing_at_all_is_named(database, run):
    ask(database, one=alpha_better)
    result = run("judge", "report", "--critic", "one", "--critic", "gone", "--db", database)
    assert result.exit_code == 1 and "gone: no verdicts" in result.stderr and len(result.stderr.splitlines()) == 1


def test_who_compared_too_is_named_with_the_jury_that_they_are(database, report):
    ask(database, one=alpha_better, two=beta_better)
    assert "compared these pictures too; all as a jury: --critic" in report(form="--format=markdown")


def test_against_tells_every_method_beside_one(tmp_path, run):
    path = make_database(tmp_path, methods=("alpha", "beta", "gamma"), side=8)
    ask(path, one=alpha_better)
    result = json.loads(run("judge", "report", "--against", "beta", "--db", path, "--json").stdout)
    tallies = [(one["method"], one["against"], one["wins"], one["losses"]) for one in result["pairs"]["tallies"]]
    assert set(tallies) == {("alpha", "beta", CELLS, 0), ("gamma", "beta", 0, CELLS)}
    every = json.loads(run("judge", "report", "--db", path, "--json").stdout)["pairs"]
    assert every["strengths"] == result["pairs"]["strengths"] and len(every["tallies"]) == 9


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--against", "delta"), "in pairs alpha and beta were compared"),
        (("--by", "subject"), "of pairs accepted is --by method"),
        (("--paper",), "the paper has figures of verdicts"),
    ],
)
def test_what_pairs_alone_cannot_say_is_one_line(database, run, arguments, words):
    ask(database, one=alpha_better)
    result = run("judge", "report", *arguments, "--db", database)
    assert result.exit_code == 1 and words in result.stderr and len(result.stderr.splitlines()) == 1


def test_pairs_alone_have_a_page_and_a_chart(database, run):
    ask(database, one=lambda one, two, aspect: "Tie" if aspect == "style" else alpha_better(one, two, aspect))
    page, chart = database.parent / "page.html", database.parent / "chart.svg"
    result = run("judge", "report", "--gallery", page, "--chart", chart, "--db", database)
    assert result.exit_code == 0, result.stderr
    text = page.read_text()
    assert "Strengths in pairs" in text and 'class="picture' in text
    assert "correct pictures only" not in text and "average case" not in text
    assert "Strengths in pairs" in chart.read_text()


def open_planted(name, settings):
    return Planted({"say:alpha": alpha_better, "say:beta": beta_better}[name], name=name)


@pytest.fixture
def planted(monkeypatch):
    """Critics of planted behaviour by name."""
    opener = "tests.test_pair_jury:open_planted"
    kind = CriticKind("planted", "a planted critic", "say:…", lambda name: name.startswith("say:"), opener)
    for table in ("settings", "table", "registry"):
        monkeypatch.setattr(f"judge.critics.{table}.CRITICS", Rows({"planted": kind}))


class Rows(dict):
    own = ("planted",)


def test_a_run_of_a_jury_says_how_it_is_reported_and_its_rows_have_the_majority(database, run, planted):
    import judge

    names = "say:alpha", "say:beta"
    rows = judge.run(db=database, critic=names, protocol="pairwise")
    assert Counter((row.by, row.value, row.note) for row in rows if row.name == "both") == {
        ("say:alpha", 1, ""): CELLS,
        ("say:beta", -1, ""): CELLS,
        ("majority", 0, "no majority"): CELLS,
    }
    flags = [flag for name in names for flag in ("--critic", name)]
    result = run("judge", "run", *flags, "--protocol", "pairwise", "--db", database)
    assert "what the jury says: lorarar judge report --critic say:alpha --critic say:beta" in result.stderr


def test_words_of_ones_own_are_a_file_and_count_as_other_words(database, run, planted):
    file = database.parent / "mine.toml"
    words = "{references} {first} {second} Which shows it better? First, Second or Tie."
    file.write_text(f'subject = "{words}"\nstyle = "In {{style}} style: {words}"\n')
    arguments = ("judge", "run", "--critic", "say:alpha", "--protocol", "pairwise", "--db", database, "--prompts")
    assert run(*arguments, file).exit_code == 0
    pairs = json.loads(run("judge", "report", "--prompts", "mine", "--db", database, "--json").stdout)["pairs"]
    assert pairs["judge"]["prompts"].startswith("mine-") and pairs["tallies"][0]["wins"] == CELLS
    file.write_text('subject = "{first} {second}"\nstyle = "{style}"\n')
    for prompts, why in ((file, "subject needs {references}"), ("paper", "accepted are pairs and a TOML file")):
        result = run(*arguments, prompts)
        assert result.exit_code == 1 and why in result.stderr and len(result.stderr.splitlines()) == 1
