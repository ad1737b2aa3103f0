"""The one reader of CSV from outside: what is bad is said by its line, and swallows no other row."""

import io

import pytest

from lorarar.util.csv_rows import LONGEST, MOST_LINES, CsvHeadError, csv_rows


def read(text, needs=("a",)):
    bad = {}
    rows = csv_rows(io.BytesIO(text.encode()), needs, bad.__setitem__)
    return [(row.line, *row.cells.values()) for row in rows], bad


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_rows_are_read_whatever_separates_them(separator, ending):
    text = f"\ufeffA, b {ending}1,2{ending}{ending}3{ending} 'x' ,\"y,z\"{ending}".replace(",", separator)
    rows, bad = read(text.replace(f"y{separator}z", "y,z"), ("a", "b"))
    assert rows == [(2, "1", "2"), (4, "3"), (5, "'x'", "y,z")] and not bad


def test_a_quote_holds_lines_together():
    rows, bad = read('a,b\n"1\nand, ""more""\n",2\n3,4\n')
    assert rows == [(2, '1\nand, "more"', "2"), (5, "3", "4")] and not bad


@pytest.mark.parametrize("end", ["", "\n", '\n"8",9\n'])
def test_a_quote_that_is_not_closed_costs_its_own_row(end):
    rows, bad = read(f'a,b\n1,2\n3,"4\n5,6\n7,7{end}')
    assert rows == [(2, "1", "2"), (4, "5", "6"), (5, "7", "7"), *([(6, "8", "9")] if "8" in end else [])]
    assert list(bad) == [3] and "quote" in bad[3]


def test_a_quote_that_is_never_closed_is_not_looked_for_through_a_whole_file():
    rows, bad = read('a\n"x\n' + "y\n" * 10 * MOST_LINES)
    assert len(rows) == 10 * MOST_LINES and bad == {2: "a quote that is not closed"}


def test_what_no_row_may_have_is_said_by_its_line():
    rows, bad = read('a,b\n1,2,3\n"x"y,1\n' + "z" * (LONGEST + 9) + ",1\n5,6\n")
    assert rows == [(5, "5", "6")]
    assert bad[2] == "more cells than the head" and "quotes within" in bad[3] and bad[4] == f"more than {LONGEST} bytes"


@pytest.mark.parametrize(
    ("text", "why"), [("", "no column a; its first line names none"), ("a,A\n", "names a column twice: a")]
)
def test_a_head_that_is_none_is_one_line(text, why):
    with pytest.raises(CsvHeadError, match=why):
        read(text)
