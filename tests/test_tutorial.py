"""The tutorial, run as it stands; votes are given to the session that the terminal would show."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

import lorarar
from lorarar.cli.main import app
from lorarar.store import Store
from lorarar.store.queries import Collection
from studies import Screen, open_study
from tui.catalog import Catalog

PAGE = Path(__file__).parents[1] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCREEN = Screen("half", columns=100, rows=30, cell_width=10, cell_height=20, picture_width=60, picture_height=60)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder in which the package lies as in a clone."""
    shutil.copytree(Path(lorarar.__file__).parent / "pocket" / "weights", tmp_path / "lorarar" / "pocket" / "weights")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    for name in ("LORARAR_CRITIC", "LORARAR_DB"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def vote_on_everything(name):
    """A rater who always prefers the left picture."""
    with Store("lorarar.db") as store:
        session = open_study(store, name)
        session.consent()
        while session.current():
            session.vote("left", 2.0, SCREEN)


def run(line):
    """What a line of the tutorial prints; the app and voting, which need a terminal, by what is behind them."""
    program, *arguments = shlex.split(line)
    if line == "lorarar-tui":
        snapshot = Catalog(Path("lorarar.db").resolve()).snapshot(Collection("plan", "dogs"))
        assert snapshot.methods == ["lorarar", "direct"] and len(snapshot.pictures) == 8
        return ""
    if arguments[:2] == ["study", "run"]:
        vote_on_everything(arguments[2])
        return ""
    if program != "lorarar":
        return subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, f"{line}: {result.output}"
    return result.output


def test_the_tutorial_leads_from_two_loras_to_a_study(place):
    text, outputs = PAGE.read_text(), {}
    for language, name, body in BLOCK.findall(text):
        if name:
            Path(name).write_text(body)
        elif language == "sh":
            outputs |= {line: run(line) for line in body.splitlines()}
    printed = " ".join("\n".join(outputs.values()).split())
    promised = re.findall(r"^    (\S.*)$", text, re.MULTILINE)
    assert len(promised) == 5 and [line for line in promised if line not in printed] == []
    assert len(list(Path("pictures").glob("*.png"))) == 2
    assert Path("dogs.html").read_text().count("<img") >= 8
    assert "over 4 pairs and 1 rater" in printed
