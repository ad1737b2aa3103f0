"""What marks and colours mean, in a line: below the matrix, and in the help of every screen that has them."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from tui.palette import css, ink, sequential
from tui.views.captions import MARKS

WORDS = {True: "yes", False: "no", None: "undecided"}
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)


def _marks() -> Text:
    text = Text("su subject, st style: ")
    for answer, (mark, colour) in MARKS.items():
        text.append(mark, colour).append(f" {WORDS[answer]}  ")
    return text


def _scale() -> Text:
    text = Text("MARS2 ")
    for value in STEPS:
        ground = sequential(value)
        text.append(f" {value:.2f} ", f"{css(ink(ground))} on {css(ground)}")
    return text


MARKS_LEGEND = _marks()
MATRIX_LEGEND = Text.assemble(_scale(), "   ", _marks())


class Legend(Static):
    """One line; what does not fit is in the help."""

    DEFAULT_CSS = """
    Legend { height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, legend: Text) -> None:
        super().__init__(legend)
