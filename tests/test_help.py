"""Every command's page of help: an example that it accepts, headings, -h, --quiet."""

import shlex

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from lorarar.cli.help_pages import HEADINGS, MANY, PANELS, examples_of
from lorarar.cli.main import app
from lorarar.util.messages import message, quieted
from lorarar.util.progress import Ticker
from tui.cli.main import app as tui

ROOT = get_command(app)


def commands(command=ROOT, path=()):
    """Every command that is no group, by its words."""
    if not hasattr(command, "commands"):
        return {" ".join(path): command}
    return {
        words: one for name, below in command.commands.items() for words, one in commands(below, (*path, name)).items()
    }


COMMANDS = commands()
EXAMPLES = [(words, example) for words, command in COMMANDS.items() for example in examples_of(command)]


def test_there_are_commands_of_every_floor():
    assert {"merge", "judge run", "study new", "study run", "tui"} <= COMMANDS.keys()


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_has_an_example_and_a_page_for_h(words, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert examples_of(COMMANDS[words])
    page = CliRunner().invoke(app, [*words.split(), "-h"])
    assert page.exit_code == 0
    assert all(example in page.output for example in examples_of(COMMANDS[words]))
    assert "--quiet" in page.output and "<bool>" not in page.output


@pytest.mark.parametrize(("words", "example"), EXAMPLES)
def test_an_example_is_of_its_command_and_is_accepted(words, example):
    name, *arguments = shlex.split(example.partition(" > ")[0])
    assert name == "lorarar" and f"{' '.join(arguments)} ".startswith(f"{words.removesuffix(' list')} ")
    context = ROOT.make_context("lorarar", list(arguments))
    command = ROOT
    while hasattr(command, "commands"):  # as click does, but the command itself does not run
        rest = [*context._protected_args, *context.args]
        word, command, rest = command.resolve_command(context, rest)
        context = command.make_context(word, rest, parent=context)
    assert command is COMMANDS[words]


def test_commands_stand_under_headings_in_one_order(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    page = CliRunner().invoke(app, ["--help"]).output
    places = [page.index(f" {heading} ─") for heading in PANELS if heading]
    assert places == sorted(places)
    assert " Commands ─" not in page  # each has a heading


def test_options_of_a_large_command_stand_under_headings(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    for words in ("merge", "generate", "judge run", "train hypernet"):
        page = CliRunner().invoke(app, [*words.split(), "-h"]).output
        context = ROOT.make_context("lorarar", [], resilient_parsing=True)
        parameters = COMMANDS[words].get_params(type(context)(COMMANDS[words], info_name=words, parent=context))
        assert len(parameters) >= MANY
        named = [one for one in parameters if HEADINGS.keys() & {*one.opts}]
        assert named
        for one in named:  # by the table, or by its own row, as a critic's --device
            assert one.rich_help_panel
            assert f" {one.rich_help_panel[:60]}" in page


def test_h_works_everywhere_and_completion_is_offered():
    runner = CliRunner()
    for words in ((), ("judge",), ("study",), ("db",), ("train",)):
        assert runner.invoke(app, [*words, "-h"]).output == runner.invoke(app, [*words, "--help"]).output
    assert "--install-completion" in runner.invoke(app, ["-h"]).output
    assert "--db" in runner.invoke(tui, ["-h"]).output


def test_completion_knows_commands_of_every_floor(monkeypatch):
    monkeypatch.setenv("_LORARAR_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "lorarar study ")
    monkeypatch.setenv("COMP_CWORD", "2")
    done = CliRunner().invoke(app, [], prog_name="lorarar")
    assert {"new", "run", "report"} <= {*done.output.split()}


def test_quiet_leaves_results_and_warnings(run, lora_file, tiny_folder, capsys):
    pair = lora_file("c", 2, 0), lora_file("s", 2, 1)
    words = ("merge", *pair, "-o", "m.safetensors", "--method", "direct", "--base", tiny_folder)
    for quiet in ((*words, "--quiet"), (*words, "-q"), ("--quiet", *words)):
        done = run(*quiet)
        assert (done.stdout, done.stderr) == ("m.safetensors\n", "")
    assert "Direct merge" in run(*words).stderr  # the last command's quiet has ended with it
    assert "does not exist" in run("-q", "inspect", "none").stderr
    capsys.readouterr()
    with quieted():
        message("plain")
        message("careful", "yellow")
        with Ticker("work", 2) as ticker:
            ticker.advance()
    assert capsys.readouterr().err == "careful\n"


def test_no_time_left_is_said_of_what_only_the_first_step_took(capsys, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("lorarar.util.progress.time.monotonic", lambda: clock[0])
    with Ticker("draw", 101) as ticker:
        clock[0] = 60  # a model was loaded
        ticker.advance()
        clock[0] = 85
        ticker.advance(25)
    assert capsys.readouterr().err.splitlines() == ["draw 1/101", "draw 26/101, 1.00/s, 75 s left"]


def test_a_command_of_another_package_has_a_page_too():
    from lorarar.cli.help_pages import PageCommand, help_page

    other = typer.Typer()

    @other.command(cls=PageCommand)
    @help_page("hello --loud")
    def hello(loud: bool = False) -> None: ...

    page = CliRunner().invoke(other, ["--help"]).output
    assert "Example" in page and "hello --loud" in page


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        ("merge", "merge CONTENT STYLE [MORE…] -o OUT [OPTIONS]"),
        ("generate", "generate --prompt PROMPT [OPTIONS]"),
    ],
)
def test_usage_names_what_a_command_needs_in_its_help_and_in_its_errors(words, usage, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    assert usage in CliRunner().invoke(app, [words, "-h"]).stdout
    assert usage in CliRunner().invoke(app, [words]).stderr
