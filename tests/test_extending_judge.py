"""Critics, metrics and parts of the check of other packages, through the command line on a small database."""

import json
import sqlite3

import numpy as np
import pytest
from click import Context
from PIL import Image
from typer.main import get_command
from typer.testing import CliRunner

from judge.critics import CriticError, find_critic
from judge.critics.kind import RESERVED
from judge.critics.table import CRITICS
from judge.metrics.table import METRICS, TAKEN
from lorarar.cli.main import app
from lorarar.pictures.images import write_png
from tests.extending import BAD_EXTENSION, EXTENSION, ROOT, left_out, run_lorarar
from tests.studies_database import make_database

BAD = {
    "critic like-ours": "ValueError: lorarar has one named local",
    "critic names-none": "RuntimeError: no such luck",
    "critic no-title": "TypeError: its title is 3; accepted is str",
    "critic other-batch": "OptionError: option --batch means something else elsewhere",
    "critic raising": "RuntimeError: no such luck",
    "critic takes-clip": "OptionError: option --clip is lorarar judge's own",
    "critic takes-metrics": "OptionError: option --metrics is lorarar judge's own",
    "critic takes-prompts": "OptionError: option --prompts is lorarar judge's own",
    "metric by-device": "OptionError: option --device is lorarar judge's own",
    "metric first": "TypeError: its order is 'first'; accepted is float",
    "metric like-ours": "ValueError: lorarar has one named dino",
    "metric mars2": "ValueError: reports have mars2 already; another name is needed",
    "metric other-clip": "ValueError: its kind of backbone clip means something else elsewhere",
}


@pytest.fixture
def database(tmp_path, monkeypatch):
    """Two methods' pictures, 8 in all, of a can, which is Pocket's, in two styles, of which one is Pocket's."""
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    return make_database(tmp_path, subjects=("can",), styles=("glowing", "mine"), seeds=2, side=64)


@pytest.fixture
def badly_extended(monkeypatch):
    monkeypatch.syspath_prepend(BAD_EXTENSION)


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_they_judge_are_reported_and_bad_ones_are_a_line_each(database, tmp_path):
    critic = ("--critic", "rule:brighter", "--threshold", "30")
    packages = (EXTENSION, BAD_EXTENSION)
    metrics = "mars2,brightness,rms-truth"
    done = run_lorarar("judge", "run", *critic, "--metrics", metrics, "--db", database, "--json", packages=packages)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["mars2"]["asked"], made["mars2"]["failed"], made["brightness"]["measured"]) == (24, 0, 8)
    lines = [line for line in left_out(done.stderr) if line.startswith(("An option", "The critic", "The metric"))]
    assert lines == [f"The {row} of lorarar-bad is left out: {why}" for row, why in BAD.items()]


def test_a_report_has_the_column_and_a_check_the_part(database, extended):
    where = ("--critic", "rule:brighter", "--db", database)
    assert run("judge", "run", *where, "--threshold", "30", "--metrics", "mars2,brightness").exit_code == 0
    made = json.loads(run("judge", "run", *where, "--threshold", "30", "--metrics", "mars2", "--json").stdout)
    several = json.loads(run("judge", "report", "--db", database, "--against", "beta", "--format", "json").stdout)
    cells = json.loads(run("judge", "report", "--db", database, "--by", "cell", "--format", "json").stdout)
    keys = {key for record in (made, several["groups"][0], cells["groups"][0]) for key in record}
    assert {key for key in keys if "_" not in key} == TAKEN | {"brightness"}  # so that no metric takes one
    table = run("judge", "report", "--db", database).stdout
    assert "Brightness: mean brightness, of 255, higher is better; by brightness (1)." in table
    groups = json.loads(run("judge", "report", "--db", database, "--format", "json").stdout)["groups"]
    brightness = {group["method"]: group["brightness"] for group in groups}
    assert brightness["beta"] - brightness["alpha"] == pytest.approx(0.299 * 50, abs=1)  # red is 50 more
    check = run("judge", "check", *where, "--threshold", "30", "--json")
    assert check.exit_code == 0, check.stderr
    said = json.loads(check.stdout)
    assert said["yes"]["of"] == 24
    assert [finding["part"] for finding in said["findings"]][-1] == "yes"
    assert said["critic"] == {"critic": "rule:brighter", "threshold": "30.0"}
    assert [setting["name"] for setting in said["settings"]] == []  # it has no side, no image mode and no dtype


def test_their_settings_are_flags_in_help_and_are_nobody_elses(database, extended):
    page = run("judge", "run", "--help").stdout
    for words in ("Of a critic by a rule", "--threshold", "rule:brighter", "brightness: mean brightness, of 255"):
        assert words in page
    for critic, flag, message in (
        ("pocket", "--threshold", "--threshold is a setting of a critic by a rule; a critic on this machine takes"),
        (
            "rule:brighter",
            "--batch",
            "--batch is a setting of a critic on this machine; a critic by a rule takes --thr",
        ),
        ("rule:brighter", "--threshold", "--threshold is '300'; accepted is a number from 0 to 255"),
    ):
        done = run("judge", "run", "--critic", critic, flag, "300", "--db", database)
        assert (done.exit_code, done.stdout, len(done.stderr.strip().splitlines())) == (1, "", 1)
        assert message in done.stderr


def test_what_fails_when_it_is_used_is_one_line_and_ends_nothing_of_ours(database, badly_extended, capsys):
    with pytest.raises(CriticError, match="a opens-not critic fails: RuntimeError: no such luck"):
        find_critic("opens-not:")
    with pytest.raises(CriticError, match=r"a no-text critic has the identity .* accepted are texts"):
        find_critic("no-text:")
    with find_critic("asked-not:") as critic, pytest.raises(CriticError, match="an asked-not critic fails: Runtime"):
        list(critic.ask([None]))
    for name, said in (
        ("unprepared", "it is a NoneType; accepted is a judge.critics.preparation.Preparation"),
        ("answers-beyond", "it replies to question 2; accepted is each of 2 once, from 0"),
        ("answers-twice", "it replies to question 0; accepted is each of 2 once, from 0"),
        ("answers-words", "it is a str; accepted is a judge.questions.Reply"),
        ("answers-oddly", "its status is 'perhaps'; accepted is Status"),
    ):
        with pytest.raises(CriticError, match=f"{name} critic fails: .*{said}"), find_critic(f"{name}:") as critic:
            list(critic.ask([None, None]))
    with pytest.raises(CriticError, match="'nobody' is none of pocket"):
        find_critic("nobody")
    assert "The critic runs-not is left out: RuntimeError: no such luck" in capsys.readouterr().err
    done = run("judge", "run", "--metrics", "fails", "--db", database)
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == "Metric: fails fails: RuntimeError: no such luck"
    done = run("judge", "run", "--metrics", "unfound", "--db", database)
    line = "Metric: the unfound backbone owner/other fails: RuntimeError: no such luck"
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (1, line)


def test_a_question_without_a_reply_has_failed(database, badly_extended):
    done = run("judge", "run", "--critic", "answers-some:", "--metrics", "mars2", "--db", database, "--json")
    assert done.exit_code == 1
    assert "1 of 24 questions have a clear verdict (23 failed); mostly: the critic did not reply" in done.stderr
    counts = json.loads(done.stdout)["mars2"]
    assert (counts["cases"], counts["asked"], counts["failed"]) == (24, 24, 23)
    assert counts["reasons"] == {"the critic did not reply": 23}
    again = json.loads(
        run("judge", "run", "--critic", "answers-some:", "--metrics", "mars2", "--db", database, "--json").stdout
    )["mars2"]
    assert (again["found"], again["asked"], again["failed"]) == (1, 23, 22)


def test_our_own_flags_are_ours_whatever_another_package_sets(database, badly_extended):
    """Every flag that is no critic's setting is a name that no setting may have."""
    settings = {option.name for kind in CRITICS.own.values() for option in kind.options}
    for name in ("run", "check"):
        command = get_command(app).commands["judge"].commands[name]
        names = {parameter.name for parameter in command.get_params(Context(command))} - settings
        assert names - {"unfound"} <= RESERVED  # which is another package's kind of backbone
    done = run("judge", "run", "--critic", "answers-some:", "--metrics", "mars2", "--device", "cpu", "--db", database)
    assert "--device is a setting of a critic on this machine" in done.stderr


def test_one_picture_that_cannot_be_read_costs_its_own_score_alone(database, extended):
    broken = sorted(database.parent.glob("images/**/*.png"))[3]
    broken.write_bytes(broken.read_bytes()[:60])
    done = run("judge", "run", "--metrics", "brightness", "--db", database, "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["brightness"]["measured"] == 7
    assert str(broken) in done.stderr


def test_a_run_that_has_nothing_to_show_ends_with_1_and_leaves_no_database(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    where = ("--generated", tmp_path / "made", "--references", tmp_path / "given", "--db", tmp_path / "new.db")
    for command in ("run", "check"):
        done = run("judge", command, *where)
        assert (done.exit_code, (tmp_path / "new.db").exists()) == (1, False)
    for folder in ("made/can/glowing", "given/subjects/can", "given/styles/glowing"):
        write_png(Image.new("RGB", (8, 8)), tmp_path / folder / "0.png")
    done = run("judge", "run", *where, "--metrics", "rms-truth,identified")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == "Judge: none of 1 pictures has a score by rms-truth, identified"


def test_the_judges_of_a_family_of_another_package_are_used(tmp_path, extended, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    database = make_database(tmp_path, subjects=("light", "owl"), styles=("plain",), methods=("alpha",), side=64)
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE images SET base = 'elsewhere'")
    done = run("judge", "run", "--metrics", "rms-truth,identified", "--db", database, "--json")
    assert done.exit_code == 0, done.stderr
    assert [json.loads(done.stdout)[name]["measured"] for name in ("rms-truth", "identified")] == [3, 3]
    with sqlite3.connect(database) as connection:
        values = dict(connection.execute("SELECT value, metric FROM scores ORDER BY value"))
    wanted = [np.sqrt(np.mean((np.array([0, 0, 20 * seed]) - 200.0) ** 2)) for seed in (2, 1, 0)]
    assert list(values) == pytest.approx([0.0, *wanted])
    check = run("judge", "check", "--critic", "elsewhere", "--sample", "2", "--db", database, "--json")
    assert check.exit_code == 0, check.stderr
    said = json.loads(check.stdout)
    assert said["critic"]["critic"] == "elsewhere"
    assert said["truth"]["pictures"] > 0


def test_nothing_of_theirs_is_loaded_before_a_table_is_listed():
    for arguments in (("--help",), ("judge", "--help")):
        done = run_lorarar(*arguments, packages=(BAD_EXTENSION,))
        assert (done.returncode, done.stderr) == (0, "")


def test_a_part_that_fails_is_a_finding_of_its_own(database, extended, badly_extended):
    check = run("judge", "check", "--critic", "rule:brighter", "--threshold", "30", "--db", database, "--json")
    assert check.exit_code == 0, check.stderr
    said = json.loads(check.stdout)
    assert said["fails"] == {"failure": "RuntimeError: no such luck"}
    assert {"part": "fails", "grade": "", "text": "fails: RuntimeError: no such luck"} in said["findings"]
    for name, why in (
        ("no_questions", "TypeError: it is a str; accepted is a judge.checks.ask.CheckQuestion"),
        ("no_json", "TypeError: its result holds {1, 2}, which JSON cannot hold"),
        ("no_finding", "TypeError: it is a str; accepted is a judge.checks.findings.Finding"),
    ):
        assert {"part": name, "grade": "", "text": f"fails: {why}"} in said["findings"]
    assert said["prompts"].startswith("paper-")
    lines = [line.partition(" is left out: ")[0] for line in left_out(check.stderr) if line.startswith("The check")]
    assert lines == ["The check no-part of lorarar-bad", "The check prompts of lorarar-bad"]


def test_true_pictures_are_measured_by_default_where_there_are_any(database):
    done = run("judge", "run", "--metrics", "rms-truth,identified", "--db", database)
    assert done.exit_code == 0, done.stderr
    assert "rms-truth: 8 pictures, 0 were known, 4 measured by the true pictures of pocket" in done.stderr
    assert "4 pictures without a true picture" in done.stderr  # those in the style "mine"
    assert list(METRICS)[-2:] == ["rms-truth", "identified"]


@pytest.mark.parametrize("page", ["critics", "metrics", "checks"])
def test_the_pages_show_the_files_that_are_used_here(page):
    text = (ROOT / "docs" / "extending" / f"{page}.md").read_text()
    names = [line.strip("`:") for line in text.splitlines() if line.startswith("`lorarar_extension/")]
    blocks = text.split("```python\n")[1:]
    assert len(names) == len(blocks) > 0
    for name, block in zip(names, blocks, strict=True):
        assert block.partition("```")[0] == (EXTENSION / name).read_text(), name
