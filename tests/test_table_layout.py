"""Tables in a terminal: folded, and nothing of them is ever cut; to a program they are whole."""

import io
import re
import sys
from collections import Counter

import pytest
from rich.console import Console

from lorarar.cli.table_layout import fitted, print_table
from lorarar.util.tables import Table

TABLE = Table(
    "MARS2 (Table 1)",
    ["method", "average case", "best case", "average, beyond direct's", "average, the paper's, on SDXL"],
    [["lorarar", "0.26 (0.12 to 0.42)", "0.32 (0.16 to 0.52)", "+0.16 (-0.02 to +0.34)", "0.71"]],
)


def drawn(table, width):
    console = Console(width=width, file=io.StringIO())
    for part in fitted(table, width):
        console.print(part)
    return console.file.getvalue()


@pytest.mark.parametrize(("columns", "lines"), [(120, 1), (80, 2), (60, 3)])
def test_no_word_of_a_table_is_cut_in_a_narrow_terminal(columns, lines):
    (whole,) = fitted(TABLE, columns)
    assert whole.row_count == 1
    head, body = drawn(TABLE, columns).split("─" * 20, 1)
    words = " ".join([*TABLE.head, *TABLE.rows[0]]).split()
    assert sorted(f"{head} {body}".replace("─", " ").split()) == sorted(words)
    assert len([line for line in body.splitlines()[1:] if line.strip()]) == lines


@pytest.mark.parametrize("columns", [40, 30, 20, 12])
def test_where_not_even_words_fit_columns_follow_below_each_other_with_the_row_s_name(columns):
    text = drawn(TABLE, columns)
    assert all(len(line) <= columns for line in text.splitlines())
    assert "…" not in text
    parts = len(fitted(TABLE, columns))
    assert parts > 1
    written, meant = (sorted("".join(one.split())) for one in (text, "".join([*TABLE.head[1:], *TABLE.rows[0][1:]])))
    assert sorted([*meant, *"methodlorarar" * parts]) == [letter for letter in written if letter != "─"]


@pytest.mark.parametrize("columns", range(30, 140, 6))
def test_many_columns_beside_long_names_are_whole_at_every_width(columns):
    names = ["3d-rendering-4", "flat-cartoon-illustration-2", "glowing"]
    head = ["method", "style", "average case", "best case", "subject right", "style right"]
    rows = [["direct", name, "0.80 (0.40 to 1.00)", "0.60 (0.20 to 1.00)", "0.70", "0.90"] for name in names]
    table = Table("", head, rows, [], names=2)
    text = drawn(table, columns)
    assert all(len(line) <= columns for line in text.splitlines())
    written = Counter(letter for letter in text if not letter.isspace() and letter != "─")
    parts = len(fitted(table, columns))
    meant = Counter("".join("".join([*row[2:], *row[:2] * parts]) for row in [head, *rows]).replace(" ", ""))
    assert written == meant


def test_a_word_of_many_letters_is_folded_and_whole():
    name = "backpack-dog-" * 9
    text = drawn(Table("", ["method", "subject"], [["direct", name]]), 40)
    assert "".join(text.split("─ \n")[-1].replace("direct", "").split()).endswith(name)


def test_a_program_has_a_row_a_line_however_narrow_the_terminal_was(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "20")
    print_table(Table("A title " * 9, TABLE.head, TABLE.rows, ["A note " * 30]))
    title, *_, row, note = [line for line in capsys.readouterr().out.splitlines() if line]
    assert title == ("A title " * 9).strip()
    assert re.split(" {3,}", row) == [" lorarar", *TABLE.rows[0][1:]]
    assert note == ("A note " * 30).strip()


def test_a_terminal_folds_to_its_width(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_table(Table("", TABLE.head, TABLE.rows, ["A note " * 30]))
    text = re.sub(r"\x1b\[\d*m", "", capsys.readouterr().out)
    assert max(map(len, text.splitlines())) <= 40


def test_a_row_that_has_nothing_in_some_columns_is_no_heading_where_they_stand_alone():
    rows = [["A heading", "", ""], ["direct", "0.26 (0.12 to 0.42)", ""], ["lorarar", "0.32 (0.16 to 0.52)", "+0.16"]]
    *_, last = fitted(Table("", ["method", "average case", "beyond direct's"], rows), 24)
    assert len(last.columns) == 2
    assert [str(cell.style) for cell in last.columns[0]._cells] == ["bold", "", ""]
