"""A table in a terminal: nothing of it is ever cut. What does not fit is folded, first within cells, then by columns.

A program that reads the table has it whole, a row a line.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from textwrap import fill
from typing import TYPE_CHECKING

from lorarar.cli.console import WIDEST, print_rich, print_text, stdout_width
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from rich.measure import Measurement
    from rich.table import Table as RichTable

HEAD = 10  # columns of a head where room is short, if its words allow
_BRACKET = re.compile(r" \((?=[+-]?\d)")  # before an interval
LONGEST = 24  # characters of a word that is never folded


def print_table(table: Table) -> None:
    """Print a table on stdout, with its title above and its notes below; one without columns is its notes alone."""
    from rich.text import Text

    if table.title:
        print_rich(Text(table.title, "bold"))
    for part in fitted(table, stdout_width()) if table.head else ():
        print_rich(part)
    for note in table.notes:
        print_rich(Text(note, "dim"))
    if table.notes:
        print_text("")  # before what follows; a table without notes ends in a free line of its own


def fitted(table: Table, width: int) -> list[RichTable]:
    """A table as rich draws it within a width.

    It is one table where it fits: whole, with its head on several lines, or with intervals below their figures and
    texts of several words on several lines. Else it is several, each with the columns that name a row and some of the
    others.
    """
    headings = [at for at, row in enumerate(table.rows) if len(row) > 1 and not any(row[1:])]
    for head in (WIDEST, HEAD):
        whole = _rich_table(table, head, headings)
        if _measure(whole).maximum <= width:
            return [whole]
    parts = [_rich_table(part, HEAD, headings, folded=True) for part in _parts(table, width)]
    for part in parts:
        _narrow(part, width)
    return parts


def _parts(table: Table, width: int) -> Iterator[Table]:
    """The table in as many columns at a time as fit, at least one beside those that name a row."""
    names, chosen = list(range(table.names)), list[int]()
    for column in range(table.names, len(table.head)):
        if chosen and _measure(_rich_table(_some(table, [*names, *chosen, column]), HEAD, folded=True)).minimum > width:
            yield _some(table, [*names, *chosen])
            chosen = []
        chosen.append(column)
    yield _some(table, [*names, *chosen])


def _some(table: Table, columns: Sequence[int]) -> Table:
    return replace(table, head=[table.head[k] for k in columns], rows=[[row[k] for k in columns] for row in table.rows])


def _measure(result: RichTable) -> Measurement:
    from rich.console import Console

    console = Console(width=WIDEST)
    return console.measure(result, options=console.options.update(width=WIDEST))


def _narrow(result: RichTable, width: int) -> None:
    """Give the columns widths with which a table fits, the widest less and less.

    rich would narrow some below the least that their words take, widen these again, and cut what then stands out.
    Words are broken only in a terminal in which not even two columns of them fit.
    """
    from rich.cells import cell_len

    natural = [
        max(cell_len(line) for cell in (one.header, *one.cells) for line in str(cell).split("\n"))
        for one in result.columns
    ]
    room = width - (_measure(result).maximum - sum(natural))  # without the space between columns
    least = [column.min_width or 1 for column in result.columns]
    if sum(least) > room:
        least = [1] * len(least)
    widths = list(natural)
    while sum(widths) > room and (wider := [k for k, one in enumerate(widths) if one > least[k]]):
        widths[max(wider, key=lambda k: widths[k])] -= 1
    for column, one in zip(result.columns, widths, strict=True):
        column.width, column.min_width = one, None


def _rich_table(table: Table, widest_head: int, headings: Container[int] = (), *, folded: bool = False) -> RichTable:
    """A table as rich draws it; no head is wider than that if its words allow, and very long words are folded.

    ``headings`` are the rows that are one: of some of a table's columns they cannot be told.
    """
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    result = RichTable(box=box.SIMPLE_HEAD, pad_edge=False)
    for head, *cells in zip(table.head, *table.rows, strict=True):
        longest = max((len(word) for text in (head, *cells) for word in text.split()), default=1)
        result.add_column(Text(fill(head, max(longest, widest_head))), min_width=min(longest, LONGEST), overflow="fold")
    for at, row in enumerate(table.rows):
        style = "bold" if at in headings else ""
        result.add_row(*(Text(_BRACKET.sub("\n(", cell) if folded else cell, style) for cell in row))
    return result
