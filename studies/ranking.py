"""The ranking plot of a study: each method's strength with its interval, drawn with letters, the strongest on top."""

from __future__ import annotations

from dataclasses import dataclass

from lorarar.util.tables import Table
from studies.figures import SIMULATED, STRENGTH, Figure, StudyReport

WIDTH = 41  # letters of a bar, where nothing else is asked
BEYOND = 0.1  # of the plot, where an interval has no end
EMPTY, LINE, ZERO, VALUE, LEFT, RIGHT = "·", "─", "┊", "●", "├", "┤"
WITHOUT_END = {LEFT: "◁", RIGHT: "▷"}  # of an interval that has no bound on that side
WORDS = "log strengths with intervals that hold at once; ┊ is 0, the mean of all methods"


@dataclass(frozen=True)
class RankedMethod:
    """A method with its strength, and both as a bar."""

    method: str
    figure: Figure
    bar: str  # of as many letters as were asked


def ranking(report: StudyReport, width: int = WIDTH) -> list[RankedMethod]:
    """The methods of a report by their strengths, the strongest first; none where it has no strengths.

    ``width`` is in letters.
    """
    figures = [one for one in report.section("model") if one.name.startswith(STRENGTH) and _value(one) is not None]
    figures.sort(key=lambda one: -(_value(one) or 0.0))
    ends = [end for one in figures for end in (_value(one), one.low, one.high, 0.0) if end is not None]
    least, most = (min(ends), max(ends)) if ends else (0.0, 0.0)
    room = (most - least) * BEYOND  # for intervals that go on beyond all ends
    least -= room * any(one.low is None and one.high is not None for one in figures)
    most += room * any(one.high is None and one.low is not None for one in figures)
    return [RankedMethod(one.name.removeprefix(STRENGTH), one, _bar(one, least, most, width)) for one in figures]


def ranking_tables(report: StudyReport) -> list[Table]:
    """The ranking plot as a table; none where a report has no strengths."""
    rows = [[str(place), one.method, one.bar] for place, one in enumerate(ranking(report), start=1)]
    title = f"Ranking, {SIMULATED}" if report.simulated else "Ranking"
    return [Table(title, ["", "method", "strength"], rows, [WORDS], names=2)] if rows else []


def _bar(figure: Figure, least: float, most: float, width: int) -> str:
    """A strength with its interval between the ends of the plot; the interval is left out where there is none."""

    def place(value: float) -> int:
        return round((value - least) / ((most - least) or 1.0) * (width - 1))

    letters = [EMPTY] * width
    if figure.low is not None or figure.high is not None:
        first = 0 if figure.low is None else place(figure.low)
        last = width - 1 if figure.high is None else place(figure.high)
        letters[first : last + 1] = [LINE] * (last + 1 - first)
        letters[first] = LEFT if figure.low is not None else WITHOUT_END[LEFT]
        letters[last] = RIGHT if figure.high is not None else WITHOUT_END[RIGHT]
    zero = place(0.0)
    letters[zero] = ZERO if letters[zero] in (EMPTY, LINE) else letters[zero]
    letters[place(_value(figure) or 0.0)] = VALUE
    return "".join(letters)


def _value(figure: Figure) -> float | None:
    """A figure's number; None where it is not defined."""
    return figure.value if isinstance(figure.value, float) else None
