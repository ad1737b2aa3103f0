"""The check on one page of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from judge.check.check import Check
from judge.check.findings import Grade
from lorarar.util.text import clean

if TYPE_CHECKING:
    from rich.console import RenderableType

COLOURS: dict[Grade, str] = {"good": "green", "fair": "yellow", "poor": "red", "": "dim"}


def page(check: Check) -> RenderableType:
    """Everything in sentences."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title(check)), title_justify="left", title_style="bold", caption_justify="left", box=None)
    table.add_column()
    table.add_column()
    table.add_column(overflow="fold")
    table.show_header = False
    last = ""
    for finding in check.findings():
        if last and finding.part != last:
            table.add_row()
        part = finding.part if finding.part != last else ""
        last = finding.part
        table.add_row(part, Text(finding.grade or "-", COLOURS[finding.grade]), Text(clean(finding.text)))
    table.caption = Text(footer(check))
    return table


def title(check: Check) -> str:
    """What was checked."""
    average = "no MARS2" if check.average is None else f"MARS2 {check.average:.2f}"
    return clean(
        f"Can {check.critic['critic']} be trusted? {check.pictures} of {check.of} pictures, "
        f"prompts {check.prompts}, {average}"
    )


def footer(check: Check) -> str:
    """What it took, and what had no answer."""
    tally = check.tally
    unclear = tally.failed + tally.unparsed
    lost = f", {unclear} without an answer, left out above" if unclear else ""
    return f"{tally.questions} questions, {tally.asked} of them asked now{lost}. What each figure means: docs/trust.md"
