"""Figure A7: MARS2 by test subject and by test style, for every method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from judge.paper.grid_values import ByMethod, mars2_by_pair
from judge.paper.grids import grid_words, test_grid
from judge.paper.section import PaperSection
from judge.reports.chart import make_chart
from judge.reports.groups import By
from judge.reports.tables import records
from lorarar.util.formatting import interval, number
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.crossed import over_pairs
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from judge.reports.report import JudgeReport
    from lorarar.bench.plan import Plan

SIDES: tuple[By, By] = ("subject", "style")


def plans(request: PaperRequest) -> Sequence[Plan]:
    """The test grid."""
    return [test_grid(request)]


def section(work: PaperWork) -> PaperSection:
    """Both halves of the figure, and which subjects and styles are hard for all methods."""
    plan = test_grid(work.request)
    reports = {side: work.report(plan, by=side) for side in SIDES}
    values = mars2_by_pair(work.report(plan))
    hardness = {side: _over_methods(values, number) for number, side in enumerate(SIDES)}
    spreads = {"methods": [fmean(of.values()) for of in values.values()]}
    spreads |= {f"{side}s": [one.value for one in of.values()] for side, of in hardness.items()}
    ranges = {name: max(of) - min(of) for name, of in spreads.items()}
    return PaperSection(
        title="Figure A7: MARS2 by subject and by style",
        paragraphs=[f"The pictures of Table 1 ({grid_words(plan)}), subject by subject and style by style."],
        tables=[_table(report, side) for side, report in reports.items()],
        figures=[
            work.chart(make_chart(report), f"MARS2 by {side}, each method's average and best case.", side)
            for side, report in reports.items()
        ],
        says=[
            *(_hardest(side, of) for side, of in hardness.items()),
            "From the least to the most, MARS2's average case differs by "
            + ", ".join(f"{number(ranges[name])} over {name}" for name in ("subjects", "styles", "methods"))
            + ".",
        ],
        says_not=[
            "Which method is best for one subject or one style: each figure is of a few pairs, and among so many of "
            "them some are apart by chance. Table 1 compares methods.",
            "That the differences over subjects, styles and methods are as large as they look: the largest less the "
            "smallest of several uncertain figures is larger than that of the true ones.",
            "Whether a subject is hard to merge or hard to judge.",
        ],
        numbers={
            **{f"by_{side}": records(report) for side, report in reports.items()},
            **{f"{side}s": {name: _figures(one) for name, one in of.items()} for side, of in hardness.items()},
            "ranges": ranges,
        },
    )


def _table(report: JudgeReport, side: str) -> Table:
    """Average case by method and by subject or style."""
    shares = {line.group.name: line.group.average for line in report.lines}
    methods, names = (list(dict.fromkeys(name[part] for name in shares)) for part in (0, 1))
    rows = [[method, *(interval(shares.get((method, name))) for name in names)] for method in methods]
    return Table(
        f"MARS2 by {side}, average case",
        ["method", *names],
        rows,
        ["Each figure is of one subject or style, with its interval over the other side alone."],
    )


def _over_methods(values: ByMethod, side: int) -> dict[str, Interval]:
    """MARS2 of each subject (``side`` 0) or style (1), a mean over methods, with its interval over the other side."""
    pairs = dict.fromkeys(pair for of in values.values() for pair in of)
    means = {pair: fmean(of[pair] for of in values.values() if pair in of) for pair in pairs}
    names = dict.fromkeys(pair[side] for pair in pairs)
    return {name: over_pairs({pair: mean for pair, mean in means.items() if pair[side] == name}) for name in names}


def _hardest(side: str, of: Mapping[str, Interval]) -> str:
    order = sorted(of, key=lambda name: of[name].value)
    least, most = order[0], order[-1]
    return (
        f"Over all methods the hardest {side} is {least}, {interval(of[least])}, and the easiest {most}, "
        f"{interval(of[most])}."
    )


def _figures(one: Interval) -> dict[str, float | None]:
    return {"value": one.value, "low": one.low, "high": one.high}
