"""Table 2: time, parameters, attempts and memory of a merge, measured side by side in one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from judge.paper.footprint import MEGABYTE, MergeFootprint, kept_footprint
from judge.paper.grids import grid_words, test_grid
from judge.paper.section import PaperSection
from judge.paper.sentences import beyond, record, standing
from judge.paper.standings import main_method
from judge.pictures import correct_by_pair
from judge.protocol import attempts
from judge.published import FOOTPRINTS, PUBLISHED
from judge.reports.tables import PAPERS, attempts_text
from lorarar.pictures.dot_chart import DotChart, Mark, Panel
from lorarar.util.formatting import number
from lorarar.util.grouping import group_by
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from judge.reports.report import JudgeReport, ReportLine
    from lorarar.bench.plan import Plan

HEAD = ("method", "seconds, first", "seconds, again", "learnt numbers", "attempts", "extra memory, MB")
OF_PAPER = ("seconds", "parameters", "attempts", "extra memory, MB")


def plans(request: PaperRequest) -> Sequence[Plan]:
    """The test grid, whose pictures attempts are counted on."""
    return [test_grid(request)]


def section(work: PaperWork) -> PaperSection:
    """The table, how many times as fast LoRA.rar is as methods that train, and whose pictures need most attempts."""
    plan = test_grid(work.request)
    report = work.report(plan)
    lines = {line.method: line for line in report.lines}
    taken = {row.row_name: kept_footprint(work, plan, row) for row in plan.methods if row.row_name in lines}
    ours = main_method(report)
    places = _attempts_by_pair(report)
    differences = beyond(ours, places)
    return PaperSection(
        title="Table 2: time, parameters, attempts and memory of a merge",
        paragraphs=[
            f"Each method merges one pair ({taken[ours].pair}) in a process of its own, one after the other on this "
            "machine, after the base was loaded and a picture drawn. The first time is with all that a method reads "
            "and trains for the pair; again is the quickest of five merges more. Extra memory is the most that the "
            "process took, beyond what it took for loading and drawing. Attempts are of Table 1's pictures "
            f"({grid_words(plan)}).",
        ],
        tables=[_table(taken, lines)],
        figures=[work.chart(_chart(taken, report), "Attempts to a good picture, and seconds to a merged LoRA.")],
        says=[
            *_speed(ours, taken, plan),
            *_memory(ours, taken),
            *standing(ours, differences, "By attempts to a correct picture", lower=True),
        ],
        says_not=[
            "How long it takes on a quiet machine: what else ran meanwhile is in the seconds, for all methods alike.",
            "What SDXL takes, where a step of training is a thousand times as dear, and the layers are more: Table 3.",
            "What a hypernetwork's own training takes, which is done once for all pairs and is not in these figures.",
        ],
        numbers={
            "pair": taken[ours].pair,
            "rows": {name: asdict(one) for name, one in taken.items()},
            "attempts_beyond": record(differences),
        },
    )


def _table(taken: Mapping[str, MergeFootprint], lines: Mapping[str, ReportLine]) -> Table:
    rows = []
    for name, one in taken.items():
        paper, published = FOOTPRINTS.get(name), PUBLISHED.get(name)
        rows.append(
            [
                name,
                number(one.seconds, 3),
                number(one.again, 3),
                "" if one.learnt is None else f"{one.learnt:,}",
                attempts_text(lines[name].group.attempts),
                number(one.memory / MEGABYTE, 0),
                *([number(paper.seconds, 3), f"{paper.parameters:,.0f}"] if paper is not None else ["", ""]),
                number(published.attempts if published else None),
                number(paper.memory / MEGABYTE, 0) if paper is not None else "",
            ]
        )
    notes = [
        "Learnt numbers: of a hypernetwork all its weights, for all pairs; of a method that trains, those of one pair.",
        "Attempts: as in the report, with 95 % intervals; at least where a pair has no correct picture.",
    ]
    return Table("What a merge takes (Table 2)", [*HEAD, *(f"{what}, {PAPERS}" for what in OF_PAPER)], rows, notes)


def _speed(ours: str, taken: Mapping[str, MergeFootprint], plan: Plan) -> list[str]:
    """How many times as fast one method is as those that train for a pair."""
    mine = taken[ours].seconds
    slow = {row.row_name: taken[row.row_name].seconds for row in plan.methods if row.trains and row.row_name in taken}
    if not slow or not mine:
        return []
    times = ", ".join(f"{name} takes {number(of / mine, 0)} times as long ({of:.1f} s)" for name, of in slow.items())
    return [f"{ours} merges a new pair in {mine:.3f} s, reading its network; {times}."]


def _memory(ours: str, taken: Mapping[str, MergeFootprint]) -> list[str]:
    megabytes = {name: number(one.memory / MEGABYTE, 0) for name, one in taken.items()}
    most = max(taken, key=lambda name: taken[name].memory)
    mine = f"{ours} takes {megabytes[ours]} MB beyond the base and a picture"
    return [f"{mine}, the most." if most == ours else f"{mine}; {most}, which takes most, {megabytes[most]} MB."]


def _attempts_by_pair(report: JudgeReport) -> dict[str, dict[tuple[str, str], float]]:
    """The attempts of each pair, by method."""
    methods = group_by(report.pictures, lambda picture: picture.target.row)
    return {
        name: {
            pair: place
            for pair, answers in correct_by_pair(pictures).items()
            if (place := attempts(answers)) is not None
        }
        for name, pictures in methods.items()
    }


def _chart(taken: Mapping[str, MergeFootprint], report: JudgeReport) -> DotChart:
    """Attempts, and the logarithm of seconds, which differ by orders of magnitude."""
    from math import log10

    names = list(taken)
    of = {line.method: line.group.attempts for line in report.lines}
    attempts_marks = [Mark.of(row, 0, one.mean) for row, name in enumerate(names) if (one := of.get(name)) is not None]
    seconds = [log10(max(one.seconds, 1e-4)) for one in taken.values()]
    marks = [Mark(row, 0, value, value, value) for row, value in enumerate(seconds)]
    panels = [
        Panel("attempts to a correct picture", attempts_marks, limits=None),
        Panel("seconds to a merged LoRA, power of ten", marks, limits=None, places=1),
    ]
    return DotChart(f"Table 2: {report.collection.label}", names, ["measured"], panels)
