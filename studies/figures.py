"""A study's report as data: figures, points of scatter plots, and nothing that takes time to load.

Reports cross from one process to another as JSON (``studies.rendering``), so these classes know no statistics.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from judge.metrics import MARS2, METRICS

SIMULATED = "simulated raters, not people"  # marks every figure of a report on simulated raters
STRENGTH = "log strength of "  # before a method's name, in figures of the section model
#: What people are asked about, in words.
ASPECT_TITLES = {"both": "subject and style", "subject": "subject", "style": "style"}


def metric_title(name: str) -> str:
    """A metric as reports name it; one of another's making by its own name."""
    if name == MARS2:
        return "MARS2"
    return METRICS[name].title if name in METRICS else name


@dataclass(frozen=True)
class Figure:
    """A number of a report with its interval, or with the reason why there is none."""

    section: str  # conclusion, study, outcomes, model, agreement, correlation, record
    of: str  # methods, metric, …
    name: str
    value: float | str | None  # None: not defined, and the note says why
    low: float | None = None  # bounds of the 95 % interval
    high: float | None = None
    n: int | None = None
    counted: str = ""  # what n counts: votes, raters, pairs, items, repeats
    note: str = ""
    key: str | None = None  # of the points that the figure sums up; None where it sums up none
    least: float | None = None  # that it can be, where a bar shows it
    most: float | None = None  # likewise
    #: The same with nothing left out, where the study's rules leave something out.
    all_value: float | str | None = None
    all_low: float | None = None
    all_high: float | None = None
    all_n: int | None = None


@dataclass(frozen=True)
class Points:
    """People against a metric, an item a point, for a scatter plot."""

    metric: str
    by: str  # critic or backbone
    aspect: str
    labels: tuple[str, ...]  # of items
    pictures: tuple[tuple[str, ...], ...]  # the digests of each item's pictures, by which the database knows them
    people: tuple[float, ...]
    scores: tuple[float, ...]
    key: str  # which figures sum these points up


@dataclass(frozen=True)
class StudyReport:
    """A study's figures, on people or on simulated raters."""

    study: str
    kind: str
    simulated: bool
    figures: tuple[Figure, ...]
    points: tuple[Points, ...]
    collection: str = ""  # whose pictures it shows, in words; empty where it is not known

    @property
    def title(self) -> str:
        """The study, and of which collection its pictures are."""
        return f"{self.study} ({self.collection})" if self.collection else self.study

    @property
    def conclusion(self) -> str:
        """What came out, in a sentence; empty where nothing is reported."""
        return next((str(figure.value) for figure in self.section("conclusion")), "")

    @property
    def record(self) -> dict[str, float | str | None]:
        """What the report needs to be made again: digest, seeds, version, day, resamples."""
        return {figure.name: figure.value for figure in self.section("record") if figure.name != "rule"}

    def section(self, *names: str) -> list[Figure]:
        """The figures of these sections, in the report's order."""
        return [figure for figure in self.figures if figure.section in names]

    def points_of(self, figure: Figure) -> Points | None:
        """The points that a figure sums up."""
        return next((points for points in self.points if points.key == figure.key), None)


def titled(title: str, aspect: str) -> str:
    """A metric's title with what people were asked about, as ``Figure.of`` has them."""
    return f"{title}, {ASPECT_TITLES[aspect]}"


def short_title(figure: Figure) -> str:
    """What a figure is of, without "subject and style", which is meant where nothing else is said."""
    return figure.of.replace(titled("", "both"), "")


def marked(figure: Figure) -> Figure:
    """A figure whose note says that raters are simulated."""
    return replace(figure, note="; ".join(filter(None, (SIMULATED, figure.note))))


def unmarked_note(figure: Figure) -> str:
    """A figure's note without the mark of simulated raters."""
    return figure.note.removeprefix(SIMULATED).removeprefix("; ")
