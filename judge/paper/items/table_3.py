"""Table 3: another base. Its columns with LoRAs of one's own; without any, what is known of its size alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from math import log10
from typing import TYPE_CHECKING, Any

from judge.paper.grids import grid_words, test_grid
from judge.paper.mars2_views import mars2_chart
from judge.paper.section import PaperSection
from judge.paper.standings import OURS, main_method, stand
from judge.paper.true_size import HIDDEN, RANK, SizedMerge, measure_family, sized_families
from judge.published import KOALA
from judge.reports.tables import records
from lorarar.pictures.dot_chart import DotChart, Mark, Panel
from lorarar.util.formatting import interval, number
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from judge.reports.report import JudgeReport
    from lorarar.bench.plan import Plan

QUICK_RANK = 4
NEEDS = (
    "MARS2 of another base needs its weights, LoRAs for it with their pictures, a hypernetwork that was trained for "
    "it, and a critic that knows such pictures: `lorarar paper table-3 --base koala-700m --contents DIR --styles DIR "
    "--hypernet FILE`, with `$LORARAR_CRITIC` or the customary critic."
)


def plans(request: PaperRequest) -> Sequence[Plan]:
    """The test grid of another base; none on Pocket, which Table 1 is of."""
    return [] if request.is_pocket else [test_grid(request)]


def section(work: PaperWork) -> PaperSection:
    """The columns of the base where it is another; beside them the sizes of bases that are known by their layers."""
    sizes = _sizes(work)
    figures = [work.chart(_chart(sizes), "Learnt numbers and seconds at true size, powers of ten.", "sizes")]
    tables, says = [_size_table(sizes)], _of_sizes(sizes)
    numbers: dict[str, Any] = {"sizes": {name: asdict(one) for name, one in sizes.items()}}
    paragraphs = [
        f"At true size: LoRAs of random weights of rank {_rank(work)} on all attention layers, merged in memory, the "
        f"quickest of three times; a hypernetwork of the paper's form with a hidden layer of {HIDDEN}."
    ]
    if work.request.is_pocket:
        paragraphs.append(NEEDS)
    else:
        plan = test_grid(work.request)
        report = work.report(plan)
        standings = stand(report, work.request.database, main_method(report))
        paragraphs.insert(0, f"On {plan.base}: {grid_words(plan)}.")
        tables.insert(0, _mars2(report, plan.base))
        figures.insert(0, work.chart(mars2_chart(report, f"Table 3: {plan.base}"), f"MARS2 on {plan.base}."))
        says = [*report.sentences, *standings.sentences, *says]
        numbers |= {"rows": records(report), **standings.numbers}
    return PaperSection(
        title="Table 3: another base",
        paragraphs=paragraphs,
        tables=tables,
        figures=figures,
        says=says,
        says_not=[
            "How good a merge is on a base of which only the size is known: random weights have no pictures.",
            "What ZipLoRA's optimisation takes at that size: docs/benchmarks.md has a step of it on a GPU.",
        ],
        numbers=numbers,
    )


def _sizes(work: PaperWork) -> dict[str, SizedMerge]:
    rank = _rank(work)
    return {
        name: SizedMerge(**work.kept(name, {"family": name, "rank": rank}, partial(measure_family, name, rank)))
        for name in sized_families()
    }


def _rank(work: PaperWork) -> int:
    return QUICK_RANK if work.request.quick else RANK


def _size_table(sizes: Mapping[str, SizedMerge]) -> Table:
    titles = sized_families()
    rows = [
        [
            titles[name],
            f"{one.layers:,}",
            f"{one.columns:,}",
            f"{one.hypernet:,}",
            f"{one.coefficients:,}",
            number(one.seconds, 3),
            number(one.direct, 3),
        ]
        for name, one in sizes.items()
    ]
    head = ["base", "attention layers", "their columns", "hypernetwork's weights", "ZipLoRA's coefficients of a pair"]
    notes = ["The paper has 0.49M weights of its hypernetwork and 1.5M coefficients of a pair, on SDXL."]
    return Table("Other bases at true size", [*head, "seconds, LoRA.rar", "seconds, direct"], rows, notes)


def _of_sizes(sizes: Mapping[str, SizedMerge]) -> list[str]:
    """How many times fewer numbers a hypernetwork has than one pair's coefficients, base by base."""
    titles = sized_families()
    shares = [f"{number(one.coefficients / one.hypernet, 1)} on {titles[name]}" for name, one in sizes.items()]
    return [
        "For each weight of a hypernetwork, which serves all pairs, ZipLoRA keeps so many coefficients a pair: "
        f"{', '.join(shares)}."
    ]


def _mars2(report: JudgeReport, base: str) -> Table:
    """The paper's columns."""
    rows = []
    for line in report.lines:
        paper = KOALA.get(line.method)
        ours = [interval(line.group.average), interval(line.group.best)]
        rows.append([line.method, *ours, *((number(paper.average), number(paper.best)) if paper else ("", ""))])
    head = ["method", "average case", "best case", "average, the paper's, on KOALA-700m", "best, the same"]
    return Table(f"MARS2 on {base} (Table 3)", head, rows)


def _chart(sizes: Mapping[str, SizedMerge]) -> DotChart:
    """Learnt numbers and seconds, as powers of ten."""

    def marks(values: Sequence[Sequence[float]]) -> list[Mark]:
        logs = ((row, series, log10(value)) for row, of in enumerate(values) for series, value in enumerate(of))
        return [Mark(row, series, value, value, value) for row, series, value in logs]

    panels = [
        Panel(
            "learnt numbers, power of ten", marks([(one.hypernet, one.coefficients) for one in sizes.values()]), None
        ),
        Panel("seconds of a merge, power of ten", marks([(one.seconds,) for one in sizes.values()]), None),
    ]
    series = [f"{OURS}, for all pairs", "ziplora, for one pair"]
    return DotChart("Other bases at true size", [sized_families()[name] for name in sizes], series, panels)
