"""Values of options that typer's coercion is not loaded for, and that are what it would make of them."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from lorarar.cli.help_pages import PageCommand

GIVEN = []
app = typer.Typer(add_completion=False)


@app.command(cls=PageCommand)
def take(
    path: Path,
    there: Annotated[Path | None, typer.Option(exists=True)] = None,
    name: str = "a",
    number: Annotated[int, typer.Option(min=0)] = 3,
    share: float = 0.5,
    many: Annotated[list[str] | None, typer.Option()] = None,
    sure: bool = False,
):
    GIVEN.append((path, there, name, number, share, many, sure))


def typers_own():
    """The same command without the page, so with typer's coercion alone."""
    plain = typer.Typer(add_completion=False)
    plain.command()(take)
    return plain


@pytest.mark.parametrize(
    "words",
    [
        ["x"],
        ["x/y z", "--name", "", "--sure"],
        ["x", "--number", "7", "--share", "1", "--many", "a", "--many", "b"],
        [".", "--there", "."],
    ],
)
def test_values_are_those_of_typers_coercion(words):
    GIVEN.clear()
    for one in (app, typers_own()):
        assert CliRunner().invoke(one, words).exit_code == 0
    mine, theirs = GIVEN
    assert mine == theirs and list(map(type, mine)) == list(map(type, theirs))


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["x", "--number", "-1"], "greater than or equal to 0"),
        (["x", "--number", "many"], "valid integer"),
        (["x", "--share", "half"], "valid number"),
        (["x", "--there", "nowhere"], "nowhere"),
        ([], "PATH"),
    ],
)
def test_what_is_wrong_is_refused_as_before(words, complaint):
    mine, theirs = (CliRunner().invoke(one, words) for one in (app, typers_own()))
    assert mine.exit_code == theirs.exit_code == 2
    assert complaint in mine.output and complaint.lower() in theirs.output.lower()


def test_a_path_that_cannot_be_read_is_left_to_typer(tmp_path, monkeypatch):
    file = tmp_path / "closed"
    file.touch()
    monkeypatch.setattr("os.access", lambda *_: False)
    done = CliRunner().invoke(app, [str(file)])
    assert done.exit_code == 2 and "readable" in done.output


def test_each_parameter_is_spared_once():
    command = get_command(app)
    context = command.make_context("take", ["x"])
    before = [parameter.get_runtime_param for parameter in command.get_params(context)]
    assert before == [parameter.get_runtime_param for parameter in command.get_params(context)]


def test_a_command_whose_options_are_plain_loads_no_pydantic(tmp_path):
    code = f"""
import sys
sys.argv = ["lorarar", "db", "list", "--db", {str(tmp_path / "none.db")!r}]
from lorarar.cli.main import app
try:
    app()
except SystemExit:
    pass
print(" ".join(sys.modules), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "none.db does not exist" in done.stderr
    assert not {"pydantic", "typer._adapters"} & set(done.stderr.split())
