"""The check on one page of a terminal."""

from __future__ import annotations

from itertools import chain, groupby, repeat
from operator import attrgetter
from typing import TYPE_CHECKING

from judge.checks.check import Check
from judge.checks.findings import Grade
from judge.non_answers import in_kinds
from lorarar.util.text import clean

if TYPE_CHECKING:
    from rich.console import RenderableType

COLOURS: dict[Grade, str] = {"good": "green", "fair": "yellow", "poor": "red", "": "dim"}


def render_page(check: Check) -> RenderableType:
    """All findings in a table, a line for each, below what was checked."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(_title(check)), title_justify="left", title_style="bold", caption_justify="left", box=None)
    table.add_column()
    table.add_column()
    table.add_column(overflow="fold")
    table.show_header = False
    for part, findings in groupby(check.findings, attrgetter("part")):
        if table.row_count:
            table.add_row()
        for name, finding in zip(chain([part], repeat("")), findings, strict=False):
            table.add_row(name, Text(finding.grade or "-", COLOURS[finding.grade]), Text(clean(finding.text)))
    table.caption = Text(_footer(check))
    return table


def _title(check: Check) -> str:
    """Which critic was checked, on how many pictures, and its MARS2."""
    average = "no MARS2" if check.average is None else f"MARS2 {check.average:.2f}"
    branded = f"\n{check.brand}" if check.brand else ""
    sample = [f"{check.pictures} of {check.of} pictures"] if check.pictures else []
    facts = [*sample, f"prompts {check.prompts}", *([average] if sample else [])]
    return clean(f"Can {check.critic['critic']} be trusted? {', '.join(facts)}{branded}")


def _footer(check: Check) -> str:
    """How many questions the check took, and how many of them have no answer."""
    tally = check.tally
    unclear = tally.failed + tally.unparsed
    lost = f", {unclear} without an answer, left out above ({in_kinds(tally.reasons)})" if unclear else ""
    return clean(
        f"{tally.questions} questions, {tally.replies} of them asked now{lost}. What each figure means: docs/trust.md"
    )
