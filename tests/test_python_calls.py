"""The calls for programs and notebooks: plain rows, own errors, nothing printed, examples of the docs that run."""

import logging
import re
import subprocess
import sys
from dataclasses import asdict, fields
from pathlib import Path

import pytest

import judge
import lorarar
import studies
from judge.errors import JudgeError
from lorarar.pictures.images import write_png
from lorarar.pocket import shipped
from lorarar.pocket.concepts import slug, style_named, subject_named
from lorarar.pocket.ground_truth import true_picture
from lorarar.store import Store
from lorarar.util.errors import LorarError
from lorarar.util.messages import message, message_once, to_log
from lorarar.util.progress import Ticker
from studies.creation.create import StudyRequest, new_study
from studies.simulate import simulate

from .studies_database import add_verdicts, make_database
from .test_pairwise import Planted, alpha_better

PAGE = Path(__file__).parents[1] / "docs" / "python.md"
SCALAR = (str, int, float, type(None))


def plain(rows):
    """Rows as dictionaries, each of the same keys and of scalars alone: what pandas.DataFrame makes a table of."""
    records = [asdict(row) for row in rows]
    assert records
    assert len({tuple(record) for record in records}) == 1
    assert all(isinstance(value, SCALAR) for record in records for value in record.values())
    return records


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A true picture of Pocket's and one of another subject, with references, in a folder of their own."""
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    teapot, cat, style = subject_named("teapot"), subject_named("cat #2"), style_named("glowing")
    place = Path("generated") / slug(teapot.name) / style.name
    write_png(true_picture(teapot, style), place / "right.png")
    write_png(true_picture(cat, style), place / "wrong.png")
    for kind, lora in (
        ("subjects", shipped.content_lora(slug(teapot.name))),
        ("styles", shipped.style_lora(style.name)),
    ):
        name = slug(teapot.name) if kind == "subjects" else style.name
        for path in shipped.references(lora):
            target = Path("references") / kind / name / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return {"generated": "generated", "references": Path("references"), "db": "lorarar.db"}


@pytest.fixture
def grid(tmp_path):
    """A grid that two critics judged, and a study of it by simulated raters."""
    path = make_database(tmp_path, subjects=("cat", "dog", "owl"))
    add_verdicts(path, lambda method, *_: method == "alpha", "scripted")
    add_verdicts(path, lambda method, subject, *_: subject == "cat", "other")
    with Store(path) as store:
        new_study(store, StudyRequest(name="first", kind="ab", methods=("alpha", "beta"), scenario="random", items=6))
        simulate(store, "first", 4, 0.2)
    return path


def test_the_examples_of_the_docs_run(folders, grid, capsys):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) == 5
    names = {}
    for block in blocks:
        exec(block, names)
    assert sorted(names["correct"].values()) == [0, 1]
    assert len(names["features"]) == 2
    assert names["majority"] == {"alpha": 1, "beta": 0}  # where both agree; the others are tied
    assert names["preferences"]
    assert {row.grade for row in names["weak"]} <= {"poor"}
    out = capsys.readouterr().out
    assert out.startswith("0.5 None None of 2 pictures, by pocket")


def test_rows_are_plain_and_say_by_whom(folders, capfd):
    rows = judge.run(**folders, critic="pocket", metrics=["mars2", "dino"], dino="pocket", device="cpu")
    records = plain(rows)
    assert {(one["name"], one["by"]) for one in records} == {
        *((name, "pocket") for name in ("correct", "subject", "style", "dino"))
    }
    right = {Path(one["image"]).name: one["value"] for one in records if one["name"] == "correct"}
    assert right == {"right.png": 1, "wrong.png": 0}
    figures = plain(judge.report(**folders))
    (average,) = [one for one in figures if one["name"] == "average"]
    assert (average["value"], average["n"], average["by"]) == (0.5, 2, "pocket")
    assert [one["value"] is not None for one in figures if one["name"] == "dino"] == [True]
    assert capfd.readouterr() == ("", "")


def test_rows_make_a_table_of_pandas(grid):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(judge.report(db=grid, critic="scripted"))
    pivot = table.pivot_table(index="method", columns="name", values="value")
    assert pivot.loc["alpha", "average"] == 1


def test_a_report_groups_and_compares_as_the_command_does(grid):
    rows = judge.report(db=grid, critic="scripted", by="subject", against="beta")
    assert {row.subject for row in rows} == {"cat", "dog", "owl"}
    difference = next(row for row in rows if row.name == "difference" and row.method == "alpha")
    assert (difference.value, difference.against) == (1, "beta")
    plain(rows)


def test_a_check_has_findings_and_numbers(folders):
    rows = judge.check(**folders, critic="pocket", sample=1)
    records = plain(rows)
    assert {one["part"] for one in records} >= {"", "order", "wording", "controls", "settings"}
    findings = [one for one in records if one["name"] == "finding"]
    assert {one["grade"] for one in findings} <= {"good", "fair", "poor", ""}
    rate = next(one for one in records if (one["part"], one["name"]) == ("order", "subject.rate"))
    assert 0 <= rate["low"] <= rate["value"] <= rate["high"] <= 1
    assert rate["n"] == 5


def test_a_study_reports_its_figures(grid):
    rows = studies.report("first", db=str(grid), simulated=True)
    assert {one["section"] for one in plain(rows)} >= {"study", "outcomes", "agreement"}
    assert all("simulated raters" in row.note for row in rows)
    with pytest.raises(LorarError, match="nobody has voted on the study first yet"):
        studies.report("first", db=grid)


def test_a_jury_reports_its_majority_and_its_agreement(grid):
    rows = judge.report(db=grid, critic=("scripted", "other"))
    assert {row.by for row in rows if row.name == "average"} == {"majority", "scripted", "other"}
    assert {row.name for row in rows} >= {"alpha", "kappa", "answered_by_all", "alike", "tied"}
    numbered = judge.report(db=grid, judge=[1, 2])
    assert [row.value for row in numbered] == [row.value for row in rows]


def test_pairs_have_rows_too(grid, monkeypatch):
    monkeypatch.setattr("judge.critics.find_critic", lambda *_, **__: Planted(alpha_better, "scripted"))
    rows = judge.run(db=grid, critic="pocket", protocol="pairwise", methods=["alpha", "beta"])
    assert {(row.name, row.method, row.against, row.value) for row in rows} == {
        (name, "alpha", "beta", 1) for name in ("subject", "style", "both")
    }
    figures = judge.report(db=grid, critic="scripted")
    (preference,) = [row for row in figures if row.name == "preference_both"]
    assert (preference.method, preference.against, preference.value) == ("alpha", "beta", 1)
    assert next(row for row in figures if row.name == "wins_both").value == len(rows) / 3
    plain([*rows]), plain(figures)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda db: judge.run(db=db, critic="pocket", bach=3), "a judge takes no bach; it takes .*did you mean batch"),
        (lambda db: judge.run(db=db, critic="pokcet"), "'pokcet' is none of pocket"),
        (lambda db: judge.run(db=db, critic="pocket", metrics="mars3"), "mars3"),
        (lambda db: judge.run(db="nowhere.db"), "nowhere.db does not exist"),
        (lambda db: judge.run(db=db, generated="x"), "go together"),
        (lambda db: judge.run(db=db, protocol="threes"), "accepted are singles, pairwise"),
        (lambda db: judge.run(db=db, methods="a,b"), "--methods goes with --protocol pairwise"),
        (lambda db: judge.report(db=db, by="colour"), "accepted are method, subject, style, cell"),
        (lambda db: judge.report(db=db, critic="nobody"), "there is no such judge"),
        (lambda db: judge.report(db="nowhere.db"), "nowhere.db does not exist"),
        (lambda db: judge.check(db=db, critic="pocket", sample=0), "a sample of 0 leaves nothing to ask about"),
        (lambda db: studies.report("nothing", db=db), "nothing"),
    ],
)
def test_what_is_wrong_is_an_error_of_our_own(grid, call, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LorarError, match=message):
        call(grid)
    assert not Path("nowhere.db").exists()


def test_nothing_judged_at_all_raises(folders, monkeypatch):
    monkeypatch.setattr(
        "judge.critics.local.critic.LocalCritic.ask",
        lambda _, questions: ((k, judge.questions.Reply.failure("no")) for k in range(len(questions))),
    )
    with pytest.raises(JudgeError, match="none of 12 questions has a clear verdict"):
        judge.run(**folders, critic="pocket", metrics="mars2")


def test_a_picture_without_an_answer_has_a_row_and_a_warning(folders, caplog):
    broken = Path("generated/teapot/glowing/broken.png")
    broken.write_bytes(Path("generated/teapot/glowing/right.png").read_bytes()[:200])
    with caplog.at_level(logging.WARNING, "lorarar"):
        rows = judge.run(**folders, critic="pocket", metrics="mars2")
    (row,) = [row for row in rows if row.name == "correct" and Path(row.image).name == "broken.png"]
    assert row.value is None
    assert "failed" in row.note
    assert any("questions have a clear verdict" in record.getMessage() for record in caplog.records)


def test_what_is_said_once_is_said_in_every_call(caplog):
    with caplog.at_level(logging.INFO, "lorarar"):
        for _ in range(2):
            with to_log():
                message_once("the model is m")
                message_once("the model is m")
    assert [record.getMessage() for record in caplog.records] == ["the model is m"] * 2


def test_messages_and_progress_are_shown_where_they_are_wanted(grid, capfd, caplog):
    judge.report(db=grid, progress=True)
    assert "judged these pictures too" in capfd.readouterr().err
    with caplog.at_level(logging.INFO, "lorarar"):
        judge.report(db=grid)
    assert capfd.readouterr().err == ""
    assert "judged these pictures too" in caplog.text
    message("after a call all is as it was")
    with Ticker("title", 1) as ticker:
        ticker.advance()
    assert capfd.readouterr().err.startswith("after a call all is as it was\ntitle 1/1")


@pytest.mark.parametrize(
    "first",
    [
        "import judge.reports.tables, judge.checks.check, judge.runner",
        "import judge.cli.run, judge.cli.check, judge.cli.report",
        "import studies.reports.report, studies.cli.report",
        "from judge import run, report, check; from studies import report as other",
        "import judge.calls, studies.calls",
        "import lorarar; lorarar.judge, lorarar.studies",
    ],
)
def test_calls_are_calls_whatever_is_imported_first(first):
    code = f"""{first}
import judge, studies
for call in (judge.run, judge.report, judge.check, studies.report):
    assert type(call).__name__ == "function", call
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_module_has_the_name_of_a_public_call():
    """Importing such a module would put it in the call's place."""
    for package in (judge, studies, lorarar):
        folder = Path(package.__file__).parent
        modules = {path.stem for path in folder.glob("*.py")}
        rooms = {path.parent.name for path in folder.glob("*/__init__.py")}
        assert not (modules | rooms) & set(package.__all__)


def test_the_packages_above_are_attributes_and_load_nothing_heavy():
    code = """
import sys, lorarar
assert lorarar.judge is sys.modules["judge"] and lorarar.studies is sys.modules["studies"]
print(sorted({"torch", "transformers", "typer", "sqlite_utils"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_reading_a_report_from_python_loads_no_command_line(grid):
    code = f"import sys, judge; judge.report(db={str(grid)!r}); print({{'typer', 'torch'}} & sys.modules.keys() or [])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("row", [judge.RunFigure, judge.ReportFigure, judge.CheckFigure, studies.Figure])
def test_every_column_is_documented(row):
    page = PAGE.read_text()
    assert [field.name for field in fields(row) if f"`{field.name}`" not in page] == []
