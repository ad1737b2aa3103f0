"""Table 1: MARS2 by method, average and best case, on the test grid, with nearness to the truth beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from judge.paper.grids import grid_words, test_grid
from judge.paper.section import PaperSection
from judge.paper.standings import main_method, stand
from judge.reports.chart import make_chart
from judge.reports.tables import records, tables

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from lorarar.bench.plan import Plan


def plans(request: PaperRequest) -> Sequence[Plan]:
    """The test grid."""
    return [test_grid(request)]


def section(work: PaperWork) -> PaperSection:
    """Table 1 with its chart, and where LoRA.rar stands beside each other row."""
    plan = test_grid(work.request)
    report = work.report(plan)
    ours = main_method(report)
    standings = stand(report, work.request.database, ours)
    return PaperSection(
        title="Table 1: MARS2 by method, average and best case",
        paragraphs=[f"All methods on the same cells: {grid_words(plan)}."],
        tables=[table for table in tables(report, paper=True) if "(Table A2)" not in table.title],
        figures=[work.chart(make_chart(report, paper=True), "MARS2 by method, with 95 % intervals.")],
        says=[*report.sentences, *standings.sentences],
        says_not=[
            "How good the judge is: its own mistakes are in every figure, and `lorarar judge check` says how many.",
            "Anything of methods on another base: LoRAs of this one may stand in each other's way less or more.",
            f"That {ours} is as good as a method that it is not told apart from: so many pairs show no smaller "
            "difference than their intervals are wide.",
        ],
        numbers={"rows": records(report), **standings.numbers},
    )
