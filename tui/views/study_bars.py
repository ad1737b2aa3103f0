"""A study's outcomes and its ranking as bars with intervals, drawn with letters."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text

from lorarar.util.grouping import group_by
from studies.figures import Figure, StudyReport, short_title
from studies.ranking import WIDTH, ranking
from studies.rendering import interval_text, value_text
from tui.palette import css, diverging, ink
from tui.text import line

VALUE = 27  # terminal columns of a figure's value and interval, after its bar
NARROWEST, WIDEST_NAME = 11, 44  # terminal columns of a bar, and of a name before it
LEFT, LINE, RIGHT, ZERO = "\u251c", "\u2500", "\u2524", "\u250a"
FILL = diverging(0.5)
FILLED = f"{css(ink(FILL))} on {css(FILL)}"


def study_bars(report: StudyReport, room: int) -> Text:
    """All that has a bar, in ``room`` terminal columns: outcomes by what they are of, then the methods' ranking."""
    outcomes = [
        figure for figure in report.section("outcomes") if figure.most is not None and isinstance(figure.value, float)
    ]
    names = [figure.name for figure in outcomes] + [one.method for one in ranking(report)]
    name = min(max((cell_len(line(one, WIDEST_NAME)) for one in names), default=0) + 2, room - VALUE - NARROWEST)
    width = min(max(room - name - VALUE, NARROWEST), WIDTH)
    text = Text(no_wrap=True, overflow="ellipsis")
    for of, figures in group_by(outcomes, short_title).items():
        text.append(f"{line(of, room)}\n", "bold")
        for figure in figures:
            _append(text, figure.name, name, outcome_bar(figure, width), figure)
    if ranked := ranking(report, width):
        text.append("strengths of the methods, whose mean is ┊\n", "bold")
        for one in ranked:
            _append(text, one.method, name, Text(one.bar), one.figure)
    text.rstrip()
    return text


def outcome_bar(figure: Figure, width: int) -> Text:
    """A figure filled from 0 to its value, with its interval over it."""
    least, most = figure.least or 0.0, 1.0 if figure.most is None else figure.most
    value = figure.value if isinstance(figure.value, float) else 0.0

    def place(at: float) -> int:
        return min(round((min(max(at, least), most) - least) / (most - least) * width), width)

    first, last = sorted((place(0.0), place(value)))
    letters = [" "] * width
    if figure.low is not None and figure.high is not None:
        low, high = min(place(figure.low), width - 1), max(place(figure.high) - 1, 0)
        low = min(low, high)
        letters[low : high + 1] = [LEFT, *[LINE] * (high - low - 1), RIGHT][: high - low + 1]
    if least < 0 and letters[place(0.0)] in " " + LINE:
        letters[place(0.0)] = ZERO
    bar = Text("".join(letters))
    bar.stylize(FILLED, first, last)
    return bar


def _append(text: Text, words: str, name: int, bar: Text, figure: Figure) -> None:
    """Append a line: words in ``name`` terminal columns, a bar, the value with its interval."""
    words = line(words, max(name - 2, 1))
    text.append(words + " " * (name - cell_len(words))).append_text(bar)
    interval = interval_text(figure)
    text.append(f" {value_text(figure)}{f' ({interval})' if interval else ''}\n")
