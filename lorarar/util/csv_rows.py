"""Rows of CSV files from outside: each by its line, and a bad one costs itself alone.

A file is UTF-8, with a head that names the columns, separated by commas, semicolons or tabs. A row may have several
lines where a quote holds them together; of a quote that is not closed soon, its own line is bad, and the next is read.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import BinaryIO, NamedTuple

from lorarar.util.errors import LorarError
from lorarar.util.formatting import listed
from lorarar.util.suggestion import did_you_mean
from lorarar.util.text import one_line

LONGEST = 64 * 1024  # bytes of a row
MOST_LINES = 64  # of a row
SEPARATORS = ",;\t"
OPEN = "a quote that is not closed"

Bad = Callable[[int, str], None]  # is told the line of a bad row, and what it has that no row may have


class CsvHeadError(LorarError):
    """A head that lacks a column or names one twice."""

    title = "CSV"


class CsvRow(NamedTuple):
    """A row's cells by the lower-case names of the columns; those that it lacks at its end are left out."""

    line: int  # where it begins
    cells: dict[str, str]


def read_lines(file: BinaryIO, bad: Bad) -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers; those that are too long are bad.

    Raises:
        UnicodeDecodeError: one is no UTF-8.
    """
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        if len(line) > LONGEST:
            bad(number, f"more than {LONGEST} bytes")
            while line and not line.endswith(b"\n"):
                line = file.readline(LONGEST)
            continue
        yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")


def csv_rows(file: BinaryIO, needs: Collection[str], bad: Bad) -> Iterator[CsvRow]:
    """The rows below a head; empty ones are passed over.

    Args:
        file: the CSV.
        needs: columns that there have to be.
        bad: is told of bad rows.

    Raises:
        CsvHeadError: the head lacks a column, or names one twice.
        UnicodeDecodeError: the file is no UTF-8.
    """
    lines = read_lines(file, bad)
    _, head = next(lines, (1, ""))
    separator = max(SEPARATORS, key=head.count)
    columns = [column.strip().lower() for column in next(csv.reader([head], delimiter=separator), [])]
    if lacking := [column for column in needs if column not in columns]:
        there = listed(map(one_line, columns)) or "none"
        near = did_you_mean(lacking[0], columns)
        raise CsvHeadError(f"there is no column {', '.join(lacking)}; its first line names {there}{near}")
    if doubled := next((column for column in columns if columns.count(column) > 1), None):
        raise CsvHeadError(f"its first line names a column twice: {one_line(doubled)[:40]}")
    for line, cells in _records(lines, separator, bad):
        if len(cells) > len(columns):
            bad(line, "more cells than the head")
        elif any(cell.strip() for cell in cells):
            yield CsvRow(line, {name: cell.strip() for name, cell in zip(columns, cells, strict=False)})


def _records(lines: Iterable[tuple[int, str]], separator: str, bad: Bad) -> Iterator[tuple[int, list[str]]]:
    """The cells of every row, with the line in which it begins."""
    source, ahead = iter(lines), deque[tuple[int, str]]()  # lines that were read to look for the end of a quote
    while (first := ahead.popleft() if ahead else next(source, None)) is not None:
        number, text = first
        taken = 0  # of the lines ahead
        while (cells := _cells(text, separator)) is OPEN and taken < MOST_LINES and len(text) <= LONGEST:
            if taken == len(ahead):
                if (more := next(source, None)) is None:
                    break
                ahead.append(more)
            text += ahead[taken][1]
            taken += 1
        if isinstance(cells, str):
            bad(number, cells)
            continue
        for _ in range(taken):
            ahead.popleft()
        yield number, cells


def _cells(text: str, separator: str) -> list[str] | str:
    """The cells of a row, or what is wrong with it; ``OPEN`` where a quote goes on."""
    try:
        return next(csv.reader([text], delimiter=separator, strict=True), [])
    except csv.Error as error:
        return OPEN if "unexpected end" in str(error) else f"quotes within a cell that are none of its own ({error})"
