"""What a report says first, whom it leaves out, its rows an item and a rater, the raw votes: counted by hand."""

import csv
import io
import json
from collections import Counter
from dataclasses import replace
from math import log2
from statistics import correlation

import pytest
from typer.testing import CliRunner

import studies
from lorarar.cli.main import app
from lorarar.store import Store
from studies.creation.create import StudyRequest, new_study
from studies.errors import StudyError
from studies.figures import Figure
from studies.rater.trials import trials_of
from studies.rater.votes import Screen
from studies.rendering import as_csv, as_json, as_markdown, as_tables, from_json
from studies.reports.conclusion import conclusion
from studies.reports.exclusions import IDENTICAL, keep
from studies.reports.report import make_report, make_rows
from studies.reports.standing_votes import StandingVote, longest_run, standing_votes
from studies.rules import StudyRules
from studies.sessions import open_study
from studies.simulate import simulate
from studies.statistics.draws import Draws
from studies.store import StudyStore

from .studies_database import add_verdicts, make_database

SCREEN = Screen("half", columns=100, rows=24, cell_width=10, cell_height=20, picture_width=50, picture_height=44)
SMALL = replace(SCREEN, picture_width=20)
FEW = Draws(200)
MIRRORED = {"left": "right", "right": "left"}


def vote_all(store, name, code, answer, seconds=2.0, screen=SCREEN, careful=True, most=99):
    """Let a rater vote: ``answer(item's origin)`` is a method, None for neither, or what one picture shows."""
    study, session = StudyStore(store).get(name), open_study(store, name, code)
    session.consent()
    for trial in trials_of(study.design, code)[:most]:
        origin = study.origins[trial.item.number]
        if origin.expected is not None:
            said = origin.expected if careful else {**MIRRORED, "both": "neither", "neither": "both"}[origin.expected]
        elif study.kind == "absolute":
            said = answer(origin)
        else:
            by_place = [source.method for source in origin.sources]
            method = answer(origin)
            said = "similar" if method is None else ("left", "right")[by_place.index(method)]
        said = MIRRORED.get(said, said) if trial.mirrored else said
        session.vote(said, seconds, screen)


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """Two studies; of the first the raters ANN and BEN are sound, and each of the others breaks a rule."""
    path = make_database(
        tmp_path_factory.mktemp("grid"), subjects=("can", "cat", "dog"), styles=("ink", "oil"), seeds=2
    )
    add_verdicts(path, lambda method, subject, style, seed: method == "alpha")
    rules = StudyRules(most_failed_checks=0, least_seconds=1.0, finished_only=True, exclude_small_pictures=True)
    with Store(path) as store:
        new_study(store, StudyRequest("pref", "ab", ("alpha", "beta"), "random", rules=rules, repeats=2))
        new_study(store, StudyRequest("single", "absolute", ("alpha", "beta"), "random", seed=1))
        vote_all(store, "pref", "ANN", lambda origin: "alpha")
        vote_all(store, "pref", "BEN", lambda origin: "beta" if origin.subject == "cat" else "alpha")
        vote_all(store, "pref", "FAST", lambda origin: "beta", seconds=0.3)
        vote_all(store, "pref", "LAZY", lambda origin: "beta", careful=False)
        vote_all(store, "pref", "GONE", lambda origin: "beta", most=4)
        vote_all(store, "pref", "TINY", lambda origin: "beta", screen=SMALL)
        simulate(store, "pref", 3, 0.2)
        vote_all(store, "single", "ANN", lambda origin: "both" if origin.sources[0].method == "alpha" else "subject")
        vote_all(store, "single", "BEN", lambda origin: "both" if origin.subject == "cat" else "style")
    return path


@pytest.fixture
def store(grid):
    with Store(grid, read_only=True) as opened:
        yield opened


def read(file):
    return list(csv.DictReader(io.StringIO(file.read_text())))


def facts(report):
    return {figure.name: figure for figure in report.section("study")}


def test_each_rule_leaves_out_whom_it_names_and_no_other(store):
    study = StudyStore(store).get("pref")
    votes = standing_votes(StudyStore(store), study, simulated=False)

    def left(**rules):
        kept = {vote.rater for vote in keep(study, votes, StudyRules(**rules)).votes}
        return {"ANN", "BEN", "FAST", "LAZY", "GONE", "TINY"} - kept

    assert left() == set()
    assert left(most_failed_checks=0) == {"LAZY"}
    assert left(most_failed_checks=len(study.checks)) == set()
    assert left(least_seconds=0.3) == set() and left(least_seconds=0.31) == {"FAST"}
    assert left(finished_only=True) == {"GONE"}
    assert left(exclude_small_pictures=True) == {"TINY"}
    assert left(least_repeats_alike=1.0) == set()
    changed = [replace(v, answer="similar") if (v.rater, v.purpose) == ("BEN", "repeat") else v for v in votes]
    kept = keep(study, changed, StudyRules(least_repeats_alike=0.5))
    assert {rater for rater, why in kept.reasons.items() if why} == {"BEN"}
    assert [(one.raters, one.votes) for one in kept.exclusions] == [(1, sum(v.rater == "BEN" for v in votes))]


RULES = (
    StudyRules(),
    StudyRules(most_failed_checks=0),
    StudyRules(most_failed_checks=5),
    StudyRules(least_seconds=1.0),
    StudyRules(least_repeats_alike=1.0),
    StudyRules(finished_only=True),
    StudyRules(exclude_small_pictures=True),
    StudyRules(0, 1.0, 0.5, exclude_small_pictures=True, finished_only=True),
)


def test_the_judges_check_gets_the_people_whom_the_report_is_on(grid, tmp_path):
    with Store(grid) as original:
        original.backup(tmp_path / "copy.db")
    with Store(tmp_path / "copy.db") as store:
        studies = StudyStore(store)
        study = studies.get("single")
        vote_all(store, "single", "FAST", lambda origin: "both", seconds=0.5)
        vote_all(store, "single", "LAZY", lambda origin: "both", careful=False)
        vote_all(store, "single", "GONE", lambda origin: "both", most=5)
        vote_all(store, "single", "TINY", lambda origin: "both", screen=SMALL)
        answers = iter(["both", "subject", "style", "neither"] * 99)
        vote_all(store, "single", "MOOD", lambda origin: next(answers))
        votes = standing_votes(studies, study, simulated=False)
        raters = set()
        for rules in RULES:
            with store.writing():
                record = json.dumps(rules.record())
                store.db.execute("UPDATE studies SET rules = ? WHERE id = ?", [record, study.id])
            kept = Counter(vote.rater for vote in keep(study, votes, rules).votes if vote.purpose == "plain")
            labels = Counter(row["rater"] for row in store.rows("SELECT rater FROM human_labels"))
            assert labels == {rater: 2 * number for rater, number in kept.items()}
            raters.add(frozenset(kept))
        assert len(raters) == len(RULES) - 1  # each of them leaves out others, but the one that nobody breaks


def test_votes_on_one_picture_shown_twice_mean_sides_and_are_left_out(store):
    study = StudyStore(store).get("pref")
    items = list(study.design.items)
    items[3] = replace(items[3], options=(items[3].options[0],) * 2)
    older = replace(study, design=replace(study.design, items=tuple(items)))
    kept = keep(older, standing_votes(StudyStore(store), study, simulated=False), StudyRules())
    assert [one.reason for one in kept.exclusions] == [IDENTICAL]
    assert kept.votes and not any(vote.item == 3 for vote in kept.votes)


def test_a_report_abides_by_the_rules_and_has_all_votes_beside(store):
    made = make_report(store, "pref", draws=FEW)
    wins = next(figure for figure in made.figures if figure.name == "alpha better")
    items = StudyStore(store).get("pref").item_count
    cats = sum(o.subject == "cat" and o.expected is None for o in StudyStore(store).get("pref").origins)
    assert (wins.value, wins.n, wins.counted) == (pytest.approx(1 - cats / 2 / items), 2 * items, "votes")
    assert wins.all_n > 5 * items and wins.all_value < 0.5
    said = facts(made)
    reasons = {name: figure.value for name, figure in said.items() if name.startswith("left out")}
    assert list(reasons.values()) == ["1 rater"] * 4
    assert (said["raters"].value, said["raters"].all_value) == (2, 6)
    assert "faster than a look" not in said  # FAST is left out
    assert "with nothing left out" in as_markdown(made)
    assert all(figure.counted for figure in made.figures if figure.n is not None)


def test_only_the_rules_that_leave_all_votes_out_are_named(grid, tmp_path):
    with Store(grid) as original:
        original.backup(tmp_path / "copy.db")
    with Store(tmp_path / "copy.db") as store:
        rules = json.dumps(StudyRules(least_seconds=3000, most_failed_checks=99).record())
        with store.writing():
            store.db.execute("UPDATE studies SET rules = ? WHERE name = 'pref'", [rules])
        with pytest.raises(StudyError) as caught:
            make_report(store, "pref", draws=FEW)
    assert str(caught.value).endswith("--attentive: raters whose median answer takes less than 3000 s")


def test_the_first_line_says_what_came_out_in_every_form(store):
    for simulated in (False, True):
        made = make_report(store, "pref", simulated, draws=FEW)
        first = made.conclusion
        assert first.startswith("Simulated raters, not people: alpha" if simulated else "alpha")
        assert first.endswith(f"over 6 pairs and {3 if simulated else 2} raters")
        assert as_markdown(made).splitlines()[0] == first
        assert as_tables(made)[0].title == first
        assert next(csv.DictReader(io.StringIO(as_csv(made))))["value"] == first
        assert next(iter(json.loads(as_json(made)).values())) == first
        assert from_json(as_json(made)) == made


def outcome(value, low=None, high=None, name="preference", of="alpha against beta", section="outcomes"):
    return Figure(section, of, name, value, low, high)


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ([outcome(0.21, 0.08, 0.34)], "alpha is preferred to beta: 0.21 (0.08 to 0.34) over 1 pair and 1 rater"),
        ([outcome(-0.21, -0.34, -0.08)], "beta is preferred to alpha: 0.21 (0.08 to 0.34) over"),
        ([outcome(0.1, -0.08, 0.3)], "alpha is not shown to be preferred to beta: 0.10 (-0.08 to 0.30) over"),
        ([outcome(0.4, None, None)], "alpha is not shown to be preferred to beta: 0.40 (no interval) over"),
        ([replace(outcome(None, None, None), note="no votes")], "nothing is shown of alpha and beta (no votes) over"),
        (
            [outcome(0.02, -0.1, 0.1), outcome(0.01, None, None, "equivalence p")],
            "(-0.10 to 0.10); they are equivalent by the margin, p 0.01; all over",
        ),
        (
            [outcome(0.02, -0.1, 0.1), outcome(0.2, None, None, "equivalence p")],
            "they are not shown to be equivalent by the margin, p 0.2; all over",
        ),
        (
            [outcome(0.2, 0.1, 0.3), outcome(0.12, None, None, "sign test p, Holm-adjusted")],
            "alpha is not shown to be preferred to beta: 0.20 (0.10 to 0.30), sign test p 0.12 adjusted",
        ),
        (
            [outcome(1.0, 0.13, 1.0), replace(outcome(0.06, None, None, "sign test p"), n=5)],
            "alpha is not shown to be preferred to beta: 1.00 (0.13 to 1.00) (of 5 pairs that lean",
        ),
        (
            [outcome(-1.0, -1.0, -0.2), replace(outcome(0.03, None, None, "sign test p"), n=6)],
            "beta is preferred to alpha: 1.00 (0.20 to 1.00) over 1 pair and 1 rater; one rater: how",
        ),
    ],
)
def test_a_preference_is_said_only_where_it_is_shown(store, figures, words):
    study = replace(StudyStore(store).get("pref"), rules=StudyRules())
    vote = next(vote for vote in standing_votes(StudyStore(store), study, False) if vote.purpose == "plain")
    assert words in conclusion(study, [vote], figures, simulated=False).value


@pytest.mark.parametrize(
    ("primary", "figures", "words"),
    [
        ("mars2", [("Pearson r", 0.76, 0.52, 0.89)], "MARS2 (one) agrees with people: r 0.76 (0.52 to 0.89) over"),
        ("mars2", [("Pearson r", 0.1, -0.2, 0.4)], "MARS2 (one) is not shown to agree with people: r 0.10"),
        ("mars2", [("Pearson r", -0.5, -0.7, -0.2)], "MARS2 (one) disagrees with people: r -0.50"),
        ("mars2", [], "nothing is shown of mars2; alpha shows subject and style in 0.50 (0.40 to 0.60)"),
        ("shown", [], "alpha shows subject and style in 0.50 (0.40 to 0.60) of the votes over"),
        ("", [], "alpha shows subject and style in 0.50 (0.40 to 0.60) of the votes over"),
    ],
)
def test_the_primary_figure_is_what_the_first_line_is_about(store, primary, figures, words):
    study = replace(StudyStore(store).get("single"), rules=StudyRules(primary=primary))
    votes = standing_votes(StudyStore(store), study, False)
    shown = outcome(0.5, 0.4, 0.6, "subject and style", "alpha")
    of = "MARS2 (one), subject and style"
    made = [outcome(value, low, high, name, of, "correlation") for name, value, low, high in figures]
    assert words in conclusion(study, votes, [shown, *made], simulated=False).value


def test_how_often_a_method_is_comparable_or_better_can_be_the_primary_figure(store):
    study = replace(StudyStore(store).get("pref"), rules=StudyRules(primary="comparable", margin=0.5))
    votes = standing_votes(StudyStore(store), study, False)
    share = outcome(0.8, 0.6, 0.9, "alpha comparable or better")
    by_chance, adjusted = outcome(0.01, name="margin test p"), outcome(0.06, name="margin test p, Holm-adjusted")
    said = conclusion(study, votes, [share, by_chance], simulated=False).value
    assert said.startswith(
        "alpha is comparable to beta or better in 0.80 (0.60 to 0.90) of the votes; more than the margin of 50% is "
        "shown, p 0.01"
    )
    said = conclusion(study, votes, [share, by_chance, adjusted], simulated=False).value
    assert "50% is not shown, p 0.06" in said  # though the interval lies above it


def test_a_report_can_be_made_again_from_what_it_says(store):
    one, again, other = (make_report(store, "pref", draws=draws) for draws in (FEW, FEW, Draws(300, seed=5)))
    assert one == again
    assert (other.record["resamples"], other.record["resampling seed"]) == (300, 5)
    assert {"digest", "seed", "made", "version", "day"} < set(one.record)
    preference = [next(f for f in made.figures if f.name == "preference") for made in (one, other)]
    assert preference[0].value == preference[1].value
    assert (preference[0].low, preference[0].high) != (preference[1].low, preference[1].high)
    with pytest.raises(StudyError, match="accepted are 200 to 100000"):
        Draws(50)


def test_an_item_has_a_row_of_what_people_and_metrics_say_of_it(store):
    study = StudyStore(store).get("pref")
    rows = make_rows(store, "pref", "item")
    assert [row.item for row in rows] == [n for n, o in enumerate(study.origins) if o.expected is None]
    for row in rows:
        split = row.subject == "cat"
        assert (row.votes, row.mean, row.entropy) == (2, 0.0 if split else 1.0, 1.0 if split else 0.0)
        assert row.answers == ({"alpha": 1, "beta": 1} if split else {"alpha": 2})
        assert row.methods == ("alpha", "beta")
        assert row.scores == {"MARS2 (scripted)": 1.0}
        assert all(method in file for method, file in zip(row.methods, row.pictures, strict=True))
    single = {(row.methods[0], row.subject): row for row in make_rows(store, "single", "item")}
    assert single["beta", "dog"].answers == {"style": 1, "subject": 1} and single["beta", "dog"].mean == 0
    assert single["alpha", "dog"].mean == 0.5 and single["alpha", "dog"].entropy == pytest.approx(log2(2))
    assert single["alpha", "dog"].scores["MARS2 (scripted), style"] == 1


def test_a_rater_has_a_row_of_how_they_answered(store):
    study = StudyStore(store).get("pref")
    rows = {row.rater: row for row in make_rows(store, "pref", "rater")}
    assert list(rows) == ["ANN", "BEN", "FAST", "GONE", "LAZY", "TINY"]
    ann, fast, gone, lazy = (rows[code] for code in ("ANN", "FAST", "GONE", "LAZY"))
    assert (ann.votes, ann.finished, ann.checks_failed, ann.repeats_alike) == (study.item_count, True, 0, ann.repeats)
    assert ann.checks + ann.repeats == len(study.checks) + 2  # a check may be one of the two that come again
    assert (ann.median_seconds, ann.left_share) == (2.0, 0.5)
    assert ann.left_out == () and ann.r_with_others is None  # who always answers the same has no r
    assert fast.too_fast == study.item_count + len(study.checks) + 2 and fast.left_out == (
        "raters whose median answer takes less than 1 s",
    )
    assert (gone.finished, lazy.checks_failed, rows["TINY"].too_small) == (False, lazy.checks, study.item_count)
    shown = [(origin.subject == "cat", n) for n, origin in enumerate(study.origins) if origin.expected is None]
    alone = {vote.item for vote in standing_votes(StudyStore(store), study, False) if vote.rater == "GONE"}
    mine = [-1 if cat else 1 for cat, _ in shown]
    others = [(1 - 3 - (item in alone)) / (4 + (item in alone)) for _, item in shown]
    varies = len(set(others)) > 1
    expected = pytest.approx(correlation(mine, others)) if varies else None
    assert rows["BEN"].r_with_others == expected


def test_the_longest_run_is_of_one_side_by_trial():
    def vote(trial, side):
        return StandingVote("A", trial, trial, "plain", side, side, 1.0, SCREEN)

    assert longest_run([vote(3, "left"), vote(1, "left"), vote(2, "right"), vote(4, "left"), vote(5, "left")]) == 3
    assert longest_run([]) == 0


@pytest.fixture
def run(grid, monkeypatch):
    monkeypatch.setenv("LORARAR_DB", str(grid))
    return lambda *arguments: CliRunner().invoke(app, ["study", *map(str, arguments)])


@pytest.mark.parametrize("by", ["item", "rater"])
def test_rows_come_in_every_form_and_from_python(run, grid, by):
    rows = studies.report("pref", by=by, db=grid)
    loaded = json.loads(run("report", "pref", "--by", by, "--json").stdout)
    read = list(csv.DictReader(io.StringIO(run("report", "pref", "--by", by, "--format", "csv").stdout)))
    assert [getattr(row, by) for row in rows] == [row[by] for row in loaded]
    assert [str(getattr(row, by)) for row in rows] == [row[by] for row in read]
    for form in ("table", "markdown"):
        text = run("report", "pref", "--by", by, "--format", form).stdout
        assert f"Study pref: {by}s" in text and str(getattr(rows[-1], by)) in text
    if by == "item":
        assert {"answers: alpha", "scores: MARS2 (scripted)"} < set(read[0])


def test_a_report_by_something_else_or_in_too_few_resamples_is_one_line(run):
    for words, message in ((["--by", "vote"], "accepted are item and rater"), (["--resamples", 7], "accepted are 200")):
        done = run("report", "pref", *words)
        assert done.exit_code == 1 and message in done.stderr and done.stderr.count("\n") == 1


def test_raw_votes_are_what_was_answered_by_side_and_by_method(run, store, tmp_path):
    study, file = StudyStore(store).get("pref"), tmp_path / "votes.csv"
    assert run("export", "pref", "-o", file).stdout.strip() == str(file)
    rows = read(file)
    assert {row["raters"] for row in rows} == {"people"} and len({row["rater"] for row in rows}) == 6
    for row in rows:
        trial = trials_of(study.design, row["rater"])[int(row["trial"])]
        assert int(row["item"]) == trial.item.number
        if row["purpose"] in ("plain", "repeat"):
            sides = {"left": row["method_left"], "right": row["method_right"]}
            assert row["answer_by_method"] == sides[row["answer_by_side"]]
            options = [source.method for source in study.origins[trial.item.number].sources]
            assert list(sides.values()) == (options[::-1] if trial.mirrored else options)
        else:
            assert row["answer_by_method"] == row["method_left"] == ""
    tiny = next(row for row in rows if row["rater"] == "TINY")
    assert (tiny["picture_width"], tiny["renderer"], tiny["seconds"], tiny["standing"]) == ("20", "half", "2.0", "yes")
    assert run("export", "pref", "-o", file, "--simulated").exit_code == 0
    assert {row["raters"] for row in read(file)} == {"simulated"}
    assert run("export", "single", "-o", file).exit_code == 0
    assert {row["method"] for row in read(file) if row["purpose"] == "plain"} == {"alpha", "beta"}


def test_superseded_votes_are_written_where_asked_for(grid, tmp_path):
    with Store(grid) as original:
        original.backup(tmp_path / "copy.db")
    with Store(tmp_path / "copy.db") as store:
        session = open_study(store, "single", "ZOE")
        session.consent()
        session.vote("both", 1, SCREEN)
        session.undo()
        session.vote("style", 1, SCREEN)
    for extra, answers in (([], ["style"]), (["--all"], ["both", "style"])):
        words = ["study", "export", "single", "-o", str(tmp_path / "v.csv"), "--db", str(tmp_path / "copy.db"), *extra]
        assert CliRunner().invoke(app, words).exit_code == 0
        rows = [row for row in read(tmp_path / "v.csv") if row["rater"] == "ZOE"]
        assert [row["answer_by_side"] for row in rows] == answers
        assert [row["standing"] for row in rows] == ["no", "yes"][-len(rows) :]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["x.txt"], "accepted is a name ending in .zip or .html or .csv"),
        (["x.zip", "--simulated"], "--simulated and --all are for votes"),
        (["x.html", "--all"], "--simulated and --all are for votes"),
    ],
)
def test_what_is_written_goes_by_the_ending(run, tmp_path, words, message):
    done = run("export", "pref", "-o", tmp_path / words[0], *words[1:])
    assert done.exit_code == 1 and message in done.stderr and done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_page_is_written_whose_pictures_are_within(run, tmp_path):
    about = json.loads(run("export", "pref", "-o", tmp_path / "p.html", "--json").stdout)
    page = (tmp_path / "p.html").read_text()
    assert about["pictures"] == page.count('id="picture-') and "alpha" not in page
