"""What a name from outside holds does nothing, whichever form it is printed in."""

import ast
import csv
import io
import json
from pathlib import Path

import pytest
from typer.main import get_command

import lorarar
from lorarar.cli.console import print_json, print_path, print_text
from lorarar.cli.main import app
from lorarar.cli.table_layout import print_table
from lorarar.util.json_text import as_json
from lorarar.util.tables import Table, as_csv, as_latex, as_markdown
from lorarar.util.text import clean
from studies import rendering
from studies.figures import Figure, StudyReport

ROOT = Path(lorarar.__file__).parents[1]
#: Escape, C1's CSI, bell, an override of direction, an isolate, a line separator, carriage return.
CONTROLS = ("\x1b[31m", "\x9b31m", "\x07", "\u202e", "\u2066", "\u2028", "\r")
EVIL = "dog" + "".join(CONTROLS) + "\nred"


def is_harmless(text):
    return all(line.isprintable() for line in text.split("\n"))


def study(name):
    figure = Figure("outcomes", name, name, name, note=name)
    return StudyReport(name, "ab", False, (figure, Figure("study", name, name, 1)), (), name)


@pytest.mark.parametrize("write", [as_markdown, as_latex])
def test_no_form_of_a_table_has_control_codes_and_no_name_breaks_a_row(write):
    plain, evil = (write([Table(name, [name, "x"], [[name, "1"]], [name])]) for name in ("dog", EVIL))
    assert is_harmless(evil)
    assert len(evil.splitlines()) == len(plain.splitlines())


def test_a_terminal_is_sent_no_control_codes(capsys):
    print_table(Table(EVIL, [EVIL, "x"], [[EVIL, "1"]], [EVIL]))
    print_text(EVIL)
    print_json({EVIL: [EVIL]})
    assert is_harmless(capsys.readouterr().out)


def test_a_path_is_exact_to_a_program_and_cleaned_in_a_terminal(capsys, monkeypatch):
    print_path(Path("a\x1b[31m"))
    assert capsys.readouterr().out == "a\x1b[31m\n"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    print_path(Path("a\x1b[31m"))
    assert is_harmless(capsys.readouterr().out)


def test_json_shows_control_codes_as_escapes_and_loses_none():
    text = as_json({EVIL: "\U000e0041 \udc80"})
    assert is_harmless(text)
    assert json.loads(text) == {EVIL: "\U000e0041 \udc80"}
    assert json.loads(as_json([EVIL, "ü"], ascii_alone=True)) == [EVIL, "ü"]
    assert as_json("ü") == '"ü"\n'


@pytest.mark.parametrize(
    "formula", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "  =1", "\uff1d1+1", "\t=1", "\r=1"]
)
def test_a_spreadsheet_takes_no_name_for_a_formula(formula):
    head, row = csv.reader(io.StringIO(as_csv([formula], [[formula]])))
    for (field,) in (head, row):
        assert not field.lstrip().startswith(("=", "+", "-", "@", "\uff1d", "\t", "\r"))


def test_figures_are_left_as_they_are_in_a_spreadsheet():
    rows = [[-0.17, "-0.5", None, "dog", "a-b", "+1e-3"]]
    assert as_csv(["x"] * 6, rows).splitlines()[1] == "-0.17,-0.5,,dog,a-b,+1e-3"


def test_markdown_shows_html_links_and_pictures_as_they_are_spelt():
    text = as_markdown([Table("<b>", ["x"], [["<script>![](http://a/b.png)[c](d)"]])])
    assert "<" not in text
    assert "![" not in text.replace("!\\[", "")
    backslashes = as_markdown([Table("", ["x", "y"], [["\\[a](http://a)", "\\|"]])])
    assert r"\\\[a]" in backslashes and r"\\\|" in backslashes  # else theirs would take ours away
    assert "\n[" not in text


def test_a_study_s_report_is_harmless_in_every_form():
    report = study(EVIL)
    forms = [rendering.as_json(report), rendering.as_csv(report), rendering.as_markdown(report)]
    for table in rendering.as_tables(report):
        forms += [table.title, *table.head, *(cell for row in table.rows for cell in row), *table.notes]
    assert all(map(is_harmless, forms))
    assert rendering.from_json(forms[0]) == report
    assert "=1+1" not in rendering.as_csv(study("=1+1")).replace("'=1+1", "")


def test_clean_keeps_what_can_be_printed():
    assert clean("für 東京 — 1 ✓") == "für 東京 — 1 ✓"


def test_every_command_that_has_data_prints_it_as_json_too():
    """All but those whose data is a file (whose place they print), a plan, or a session of voting."""
    flags = {name: {flag for one in its.params for flag in one.opts} for name, its in commands("", get_command(app))}
    trained = {f"train {name}" for name in ("lora", "joint", "hypernet", "means")}
    files = {"backup", *trained, "pocket truth", "pocket zoo", "pocket build"}
    assert {name for name, its in flags.items() if "--json" not in its} == {*files, "bench plan", "study run", "tui"}


def commands(name, command):
    """A command with its full name, or all those below a group."""
    if not hasattr(command, "commands"):
        yield name.strip(), command
    for below, one in getattr(command, "commands", {}).items():
        yield from commands(f"{name} {below}", one)


def test_every_command_prints_through_the_gate():
    """No module but the gate writes to stdout: a new writer that forgot to clean could not be told from the others."""
    writers = set()
    for floor in ("judge", "lorarar", "studies", "tui"):
        for file in (ROOT / floor).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and _writes(node):
                    writers.add(str(file.relative_to(ROOT)))
    measures, our_page, sizes = (
        "lorarar/cli/table_layout.py",
        "lorarar/store/page.py",
        "lorarar/families/meta_models.py",
    )
    assert writers == {"lorarar/cli/console.py", measures, our_page, sizes}


def _writes(call):
    """Whether a call prints on stdout: ``print`` without another file, ``typer.echo``, a console but stderr's."""
    name = ast.unparse(call.func)
    elsewhere = {keyword.arg for keyword in call.keywords} & {"file", "stderr", "err"}
    return name in ("print", "typer.echo", "sys.stdout.write", "Console") and not elsewhere
