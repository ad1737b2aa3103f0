"""A jury of critics: the majority of every question, each member beside it, and members that fail."""

import csv
import io
import json

import numpy as np
import pytest
from krippendorff import alpha
from typer.testing import CliRunner

from judge import PAPER, JudgedTargets, VerdictStore, from_store
from judge.critics import Critic, CriticError
from judge.critics.kind import CriticKind
from judge.critics.preparation import Preparation
from judge.critics.table import CRITICS
from judge.errors import JudgeError
from judge.jury import majority_verdict
from judge.jury_agreement import agreement_on_pictures
from judge.metrics.scores import ScoreStore
from judge.questions import Reply
from judge.reports.jury import make_jury_report
from judge.reports.report import choose_judges, make_report
from judge.reports.tables import csv_rows, tables
from judge.verdicts import NOT_ASKED, TIED, Verdict
from lorarar.cli.main import app
from lorarar.store import Store
from lorarar.util.options import Option

from .studies_database import add_verdicts, make_database

YES, NO, FAILED = Verdict("ok", True, 0.9), Verdict("ok", False, 0.1), Verdict("failed", None, None)


@pytest.mark.parametrize(
    ("verdicts", "majority"),
    [
        ([YES, YES, NO], True),
        ([NO, YES, NO], False),
        ([YES, YES, FAILED], True),  # whatever the third would have said
        ([NO, NO, NOT_ASKED], False),
        ([YES, YES, NO, NO, NO], False),
    ],
)
def test_most_of_all_members_decide_a_question(verdicts, majority):
    assert majority_verdict(verdicts) == Verdict("ok", majority, None)


def test_a_tie_is_no_answer_and_neither_is_what_a_missing_one_could_decide():
    assert majority_verdict([YES, NO]) is majority_verdict([YES, YES, NO, NO]) is TIED
    assert majority_verdict([YES, FAILED]) is majority_verdict([YES, NO, FAILED]) is FAILED
    assert majority_verdict([NO, YES, NOT_ASKED]) is NOT_ASKED


def members(path, *names):
    with Store(path) as store:
        targets = JudgedTargets(from_store(store), VerdictStore(store))
        return [targets.pictures(judge) for judge in choose_judges(targets, names)]


@pytest.fixture
def grid(tmp_path):
    """Three critics on a grid of two methods: the first likes alpha, the second seed 0, the third everything."""
    path = make_database(tmp_path, subjects=("cat", "dog"), styles=("oil",), seeds=2)
    add_verdicts(path, lambda method, *_: method == "alpha", "first")
    add_verdicts(path, lambda method, subject, style, seed: seed == 0, "second")
    add_verdicts(path, lambda *_: True, "third")
    return path


def test_agreement_is_krippendorffs_and_cohens(grid):
    names = "first", "second", "third"
    agreement = agreement_on_pictures(names, members(grid, *names))
    said = [[one.answer("subject") for one in of] for of in members(grid, "first", "second", "third")]
    raters = np.array([[answer for answer in own for _ in range(3)] for own in said], float)  # references
    assert agreement.questions == agreement.answered == raters.shape[1] == 24
    assert agreement.alpha.value == pytest.approx(alpha(raters, level_of_measurement="nominal"))
    assert agreement.kappas[0, 1] == pytest.approx(0)  # alpha or beta says nothing of the seed
    assert agreement.alike == 6  # alpha's pictures of seed 0, with three questions each
    assert agreement.tied == 0


def test_the_majority_is_reported_with_each_members_figures(grid):
    with Store(grid) as store:
        targets, scores = JudgedTargets(from_store(store), VerdictStore(store)), ScoreStore(store)
        report = make_jury_report(targets, choose_judges(targets, ["first", "second", "third"]), scores, "method")
        alone = make_report(targets, choose_judges(targets, ["second"])[0], scores, "method")
    averages = {line.method: line.group.average.value for line in report.lines}
    assert averages == {"alpha": 1, "beta": 0.5}  # of beta the second and third agree on seed 0
    assert [[line.group.average.value for line in member.lines] for member in report.jury.members] == [
        [1, 0],
        [0.5, 0.5],
        [1, 1],
    ]
    assert report.jury.members[1].lines == alone.lines
    _, rows = csv_rows(report)
    assert [(row[0], row[1]) for row in rows][:3] == [("majority", "alpha"), ("majority", "beta"), ("first", "alpha")]
    table = next(table for table in tables(report) if "each of the jury" in table.title)
    assert [row[:2] for row in table.rows][:4] == [["alpha", name] for name in ("majority", "first", "second", "third")]
    assert "all answered 24 of 24 questions, 6 of these alike" in report.lead[1]


def test_ties_of_two_leave_pictures_undecided_and_are_counted(grid):
    result = CliRunner().invoke(app, ["judge", "report", *by("first", "second"), "--db", str(grid), "--json"])
    said = json.loads(result.stdout)
    alpha_row, beta_row = said["groups"]
    assert (alpha_row["average"], alpha_row["images"], alpha_row["undecided"]) == (1, 2, 2)
    assert (beta_row["average"], beta_row["images"], beta_row["undecided"]) == (0, 2, 2)
    assert alpha_row["tied"] == beta_row["tied"] == 6
    assert (said["jury"]["tied"], said["jury"]["answered_by_all"], said["jury"]["alike"]) == (12, 24, 12)
    assert [member["name"] for member in said["jury"]["members"]] == ["first", "second"]


def test_where_a_jury_agrees_on_nothing_the_first_line_says_that_it_is_tied(grid):
    add_verdicts(grid, lambda *_: False, "fourth")
    result = CliRunner().invoke(app, ["judge", "report", *by("third", "fourth"), "--db", str(grid)])
    assert result.stdout.startswith("No picture has a verdict: the jury is tied on 24 questions.\n")


def test_a_member_that_answered_less_is_no_no(grid):
    with Store(grid) as store:
        store.db.execute(
            "UPDATE verdicts SET status = 'failed', verdict = NULL, probability = NULL "
            "WHERE judge = (SELECT id FROM judges WHERE critic = 'third')"
        )
    with Store(grid) as store:
        targets = JudgedTargets(from_store(store), VerdictStore(store))
        first, second, third = [
            targets.pictures(judge)
            for name in ("first", "second", "third")
            for judge in targets.verdicts.judges()
            if judge.critic == name
        ]
    agreement = agreement_on_pictures(("first", "second", "third"), [first, second, third])
    assert (agreement.questions, agreement.answered, agreement.tied) == (24, 0, 0)


@pytest.mark.parametrize("form", ["table", "csv", "markdown", "latex"])
def test_every_form_tells_of_the_jury(grid, form, tmp_path):
    page = tmp_path / "page.html"
    arguments = ["judge", "report", *by("first", "third"), "--format", form, "--gallery", str(page), "--db", str(grid)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.stderr
    assert "The jury of 2 critics: all answered 24 of 24 questions" in result.stdout + result.stderr
    assert "Krippendorff" in page.read_text()
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(result.stdout)))
        assert {row["judge"] for row in rows} == {"majority", "first", "third"}


def test_a_report_by_one_says_who_else_judged_and_numbers_name_members_too(grid):
    plain = CliRunner().invoke(app, ["judge", "report", "--db", str(grid), "--json"])
    assert "jury" not in json.loads(plain.stdout)
    assert "judged these pictures too; all as a jury: --critic" in plain.stderr
    numbered = CliRunner().invoke(app, ["judge", "report", "--judge", "1", "--judge", "3", "--db", str(grid), "--json"])
    assert [member["name"] for member in json.loads(numbered.stdout)["jury"]["members"]] == ["first", "third"]


def test_a_member_that_is_none_is_refused(grid):
    result = CliRunner().invoke(app, ["judge", "report", *by("first", "nobody"), "--db", str(grid)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is no such judge; there are" in result.stderr


def by(*critics):
    return [part for name in critics for part in ("--critic", name)]


class Scripted(Critic):
    """Says what its name says; one called broken cannot work."""

    preparation = Preparation(64)

    def __init__(self, name, settings):
        if name == "say:unreachable":
            raise CriticError("say:unreachable cannot be reached")
        self.name = name
        self.identity = {"critic": name, "revision": "1"} | {key: str(value) for key, value in settings.items()}

    def ask(self, questions):
        if self.name == "say:broken":
            raise CriticError("say:broken has no weights")
        for index, _ in enumerate(questions):
            yield index, Reply.from_probability(0.9 if self.name == "say:yes" else 0.1)


@pytest.fixture
def scripted(monkeypatch):
    """Two kinds of critics, of which one alone has a loudness."""
    opener, loudness = "tests.test_jury:Scripted", Option("loudness", "How loud.", "integer", default=1)
    kinds = {
        "loud": CriticKind("loud", "a loud critic", "say:yes", lambda name: name == "say:yes", opener, (loudness,)),
        "calm": CriticKind("calm", "a calm critic", "say:…", lambda name: name.startswith("say:"), opener),
    }
    rows = {**kinds, **CRITICS}
    monkeypatch.setattr("judge.critics.settings.CRITICS", rows)
    monkeypatch.setattr("judge.critics.table.CRITICS", rows)
    monkeypatch.setattr("judge.critics.registry.CRITICS", _Rows(rows))


class _Rows(dict):
    own = ("loud", "calm", "local", "served")


def run(path, *arguments):
    return CliRunner().invoke(app, ["judge", "run", "--metrics", "mars2", "--db", str(path), *arguments])


def test_each_member_judges_all_and_a_repeat_asks_nobody(tmp_path, scripted):
    path = make_database(tmp_path, subjects=("cat",), styles=("oil",), seeds=1)
    result = run(path, *by("say:yes", "say:no"), "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert {name: one["asked"] for name, one in said["jury"].items()} == {"say:yes": 6, "say:no": 6}
    assert said["mars2"]["asked"] == 12
    assert "lorarar judge report --critic say:yes --critic say:no" in result.stderr
    again = json.loads(run(path, *by("say:yes", "say:no"), "--json").stdout)["mars2"]
    assert (again["found"], again["asked"]) == (12, 0)
    with Store(path) as store:
        rows = store.rows(
            "SELECT critic, sum(verdict) AS yes FROM verdicts v JOIN judges j ON j.id = v.judge GROUP BY 1"
        )
    assert {row["critic"]: row["yes"] for row in rows} == {"say:yes": 6, "say:no": 0}


@pytest.mark.parametrize("fault", ["say:unreachable", "say:broken"])
def test_a_member_that_fails_is_named_and_the_others_go_on(tmp_path, scripted, fault):
    path = make_database(tmp_path, subjects=("cat",), styles=("oil",), seeds=1)
    result = run(path, *by("say:yes", fault, "say:no"), "--json")
    assert result.exit_code == 1
    said = json.loads(result.stdout)["jury"]
    assert (said["say:yes"]["asked"], said["say:no"]["asked"]) == (6, 6)
    assert fault in said[fault]["error"]
    assert f"{fault}: {said[fault]['error'].removeprefix(f'{fault}: ')}; the others of the jury go on" in " ".join(
        result.stderr.split()
    )


def test_one_judge_under_two_names_is_no_second_opinion(tmp_path, scripted, monkeypatch):
    one = property(lambda _: {"critic": "one"}, lambda *_: None)
    monkeypatch.setattr(Scripted, "identity", one, raising=False)
    path = make_database(tmp_path, subjects=("cat",), styles=("oil",), seeds=1)
    result = run(path, *by("say:no", "say:again"))
    assert result.exit_code == 1
    assert "say:again: it is the same judge as say:no" in " ".join(result.stderr.split())
    assert len(result.stderr.split("6 asked")) == 2  # by the first alone


def test_a_jury_of_which_nobody_can_work_is_an_error_and_nothing_is_written(tmp_path, scripted):
    path = make_database(tmp_path, subjects=("cat",), styles=("oil",), seeds=1)
    result = run(path, *by("say:unreachable", "say:broken"))
    assert result.exit_code == 1
    assert "say:unreachable cannot be reached" in result.stderr
    assert "say:broken has no weights" in result.stderr
    with Store(path) as store:
        VerdictStore(store)
        assert not store.rows("SELECT 1 FROM verdicts")


def test_a_setting_goes_to_the_members_that_take_it_and_to_no_other(tmp_path, scripted):
    path = make_database(tmp_path, subjects=("cat",), styles=("oil",), seeds=1)
    result = run(path, *by("say:yes", "say:no"), "--loudness", "3")
    assert result.exit_code == 0, result.stderr
    with Store(path) as store:
        kept = {row["critic"]: json.loads(row["identity"]) for row in store.rows("SELECT * FROM judges")}
    assert kept["say:yes"]["loudness"] == "3"
    assert "loudness" not in kept["say:no"]
    refused = run(path, *by("say:yes", "say:no"), "--retries", "3")
    assert refused.exit_code == 1
    assert "--retries is a setting of a critic behind an address" in refused.stderr
    assert PAPER.version in json.dumps(CliRunner().invoke(app, ["judge", "report", "--db", str(path)]).stdout)


def test_exploit_asks_one_critic(grid):
    result = CliRunner().invoke(app, ["judge", "exploit", *by("pocket", "llava-critic-7b"), "--db", str(grid)])
    assert result.exit_code == 1
    assert "one critic is asked here, and pocket and llava-critic-7b are named" in " ".join(result.stderr.split())
    assert JudgeError.title in result.stderr
