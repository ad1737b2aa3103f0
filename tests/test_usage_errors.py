"""What is wrong with how a command is called: one line that says it, and what is accepted."""

from typing import Annotated, Literal

import pytest
import typer
from typer.testing import CliRunner

from lorarar.cli.help_pages import PageCommand
from lorarar.cli.main import app
from tui.cli.main import app as tui

MERGE = "(lorarar merge CONTENT STYLE [MORE…] -o OUT [OPTIONS]; -h says more)"
GENERATE = "(lorarar generate --prompt PROMPT [OPTIONS]; -h says more)"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("generate --prompt x --seed many", f"--seed is 'many'; it should be a valid integer {GENERATE}"),
        ("generate --prompt x --seed -1", f"--seed is '-1'; it should be greater than or equal to 0 {GENERATE}"),
        ("generate --prompt x --scheduler foo", "--scheduler: no scheduler 'foo'; there are DDIMScheduler"),
        ("generate", f"--prompt is missing {GENERATE}"),
        ("merge", f"CONTENT is missing {MERGE}"),
        ("merge a b", f"-o/--out is missing {MERGE}"),
        ("merge a b -o", "Option '-o' requires an argument"),
        ("merge a b -o c --all=3", "Option '--all' does not take a value"),
        ("merge a b -o c --metod x", "No such option: --metod (Possible options: --method"),
        ("train lora a --prompt x -o y.safetensors --precision bf17", "--precision is 'bf17'; accepted are no, fp16, "),
        ("train lora a b --prompt x -o y.safetensors", "Got unexpected extra argument(s) (b)"),
        ("merg", "No such command 'merg'. Did you mean 'merge'? (lorarar [OPTIONS] COMMAND [ARGS]...; -h says more)"),
        ("judge rnu", "No such command 'rnu'. Did you mean 'run'? (lorarar judge [OPTIONS]"),
        ("--nonsense", "No such option: --nonsense (lorarar [OPTIONS]"),
    ],
)
def test_it_is_one_line_that_says_what_is_accepted(line, said):
    done = CliRunner().invoke(app, line.split(), prog_name="lorarar")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: ") and done.stderr.count("\n") == 1
    assert said in done.stderr


def test_another_program_says_it_alike():
    done = CliRunner().invoke(tui, ["--bd", "x.db"], prog_name="lorarar-tui")
    assert done.exit_code == 2
    assert done.stderr == (
        "Usage: No such option: --bd (Possible options: --db) (lorarar-tui [OPTIONS]; -h says more)\n"
    )


def test_a_group_without_a_command_shows_its_help_and_nothing_else():
    for words in ((), ("judge",)):
        done = CliRunner().invoke(app, words, prog_name="lorarar")
        assert done.exit_code == 2 and done.stderr == ""
        assert "--help" in done.stdout


def test_a_long_or_hostile_value_stays_one_line():
    other = typer.Typer()

    @other.command(cls=PageCommand)
    def take(number: int = 1, kind: Annotated[Literal["dog", "cat"], typer.Option()] = "dog") -> None: ...

    said = CliRunner().invoke(other, ["--number", "\x1b[31m\n" + "9x" * 500]).stderr
    assert said.count("\n") == 1 and "\x1b" not in said and len(said) < 300
    said = CliRunner().invoke(other, ["--kind", "do\ng\x1b"]).stderr
    assert said.count("\n") == 1 and "\x1b" not in said
    assert "accepted are dog, cat" in said
