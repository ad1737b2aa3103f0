"""A database of version 0.1 is read as it is, and migrated by the first command that writes: no figure changes.

But those that version 0.1 got wrong: intervals of the judge's reports, which drew pairs anew, attempts, which left out
the pairs without a correct picture, and what a study's report says beside its values.
"""

import json
import lzma
import math
import shutil
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.families import Base
from lorarar.pocket import shipped
from lorarar.store import Store

OLD = Path(__file__).with_name("data") / "lorarar-0.1"
EXPECTED = OLD / "expected"
POCKET_THEN = Base("pocket", str(shipped.BASE), revision="8bf31aab4422", hypernet=OLD / "hypernet.safetensors")
PLANS, STUDIES = ("first", "second"), ("pref", "labels")


def unpack(folder):
    """The database with all that it speaks of, in a folder."""
    shutil.copytree(OLD, folder, ignore=shutil.ignore_patterns("*.xz", "expected"))
    (folder / "lorarar.db").write_bytes(lzma.decompress((OLD / "lorarar.db.xz").read_bytes()))
    return folder


def run(*arguments):
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def same(old, new, where=""):
    """That ``new`` says what ``old`` said; it may say more."""
    if isinstance(old, dict):
        assert isinstance(new, dict), where
        for key, value in old.items():
            same(value, new[key], f"{where}.{key}")
    elif isinstance(old, list):
        assert len(new) == len(old), where
        for number, pair in enumerate(zip(old, new, strict=True)):
            same(*pair, f"{where}[{number}]")
    elif isinstance(old, float) and isinstance(new, int | float):
        assert math.isclose(new, old, rel_tol=1e-9, abs_tol=1e-12), f"{where}: {new}, was {old}"
    else:
        assert new == old, where


def by_name(said):
    """A report with its lists by what their rows are called: metrics stand in the order of their table now."""
    if not isinstance(said, dict):
        return said
    return {
        key: sorted(rows, key=lambda row: str(row["metric"])) if key == "points" else rows for key, rows in said.items()
    }


def lasting(report):
    """What of a report is counted today as in version 0.1."""
    if "figures" in report:
        return report | {"figures": lasting_figures(report["figures"])}
    if "groups" not in report:
        return report
    wrong = ("_low", "_high", "attempts")
    groups = [{key: value for key, value in group.items() if not key.endswith(wrong)} for group in report["groups"]]
    return report | {"groups": groups}


def lasting_figures(figures):
    """The values of a study's figures by what they are called: all that version 0.1 had, and had right."""
    wrong = ("ceiling", "(majority)")  # one rater's r was no ceiling, ties counted as a no
    values = {f"{row['section']}, {row['of']}, {row['name']}": row["value"] for row in figures}
    return {
        name: value for name, value in values.items() if value is not None and not any(one in name for one in wrong)
    }


def reports():
    """All that version 0.1 said of its database, and the commands that say it now."""
    for plan in PLANS:
        for by in ("method", "cell"):
            name = f"report-{plan}" + ("-cell" if by == "cell" else "")
            yield f"{name}.json", ("judge", "report", "--images", f"plan={plan}", "--by", by, "--format", "json")
    against = ("judge", "report", "--images", "plan=first", "--against", "direct", "--format", "json")
    yield "report-first-against.json", against
    for study in STUDIES:
        yield f"study-{study}.json", ("study", "report", study, "--format", "json")
    yield "study-pref-simulated.json", ("study", "report", "pref", "--simulated", "--format", "json")
    yield "studies.json", ("study", "list", "--json")


def check_reports(chosen):
    for name, arguments in reports():
        if name in chosen or not chosen:
            said = json.loads((EXPECTED / name).read_text()), json.loads(run(*arguments))
            same(*map(by_name, map(lasting, said)), name)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("LORARAR_DB", raising=False)
    monkeypatch.chdir(unpack(tmp_path / "old"))
    return tmp_path / "old"


def test_reports_say_of_an_old_database_what_version_0_1_said_and_change_no_byte(folder):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    check_reports({"report-first.json", "report-second-cell.json", "study-pref-simulated.json", "studies.json"})
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_after_migration_every_report_says_the_same(folder):
    Store(folder / "lorarar.db").close()
    with sqlite3.connect(folder / "lorarar.db") as database:
        assert database.execute("PRAGMA application_id").fetchone() == (int.from_bytes(b"LRAR", "big"),)
    check_reports(set())


@pytest.mark.parametrize(("plan", "count"), [("first", 24), ("second", 2)])
def test_the_same_plan_draws_nothing_anew(folder, plan, count, monkeypatch):
    monkeypatch.setattr(shipped, "base", lambda: POCKET_THEN)  # as version 0.1 knew its base: by name and revision
    before = {path: path.read_bytes() for path in folder.rglob("*.png")}
    for _ in range(2):
        outcome = json.loads(run("bench", "run", f"{plan}.toml", "-o", plan, "--json"))
        assert (outcome["found"], outcome["shared"], outcome["drawn"]) == (count, 0, 0)
    assert {path: path.read_bytes() for path in folder.rglob("*.png")} == before
