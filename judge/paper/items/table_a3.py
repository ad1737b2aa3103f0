"""Table A3: which parts of attention are predicted, all fifteen choices, on the validation cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from judge.paper.grids import constants_row, grid, grid_words
from judge.paper.mars2_views import mars2_chart
from judge.paper.networks import RECIPE, PaperNetwork, missing_words, ready, recipe_words
from judge.paper.pocket_concepts import styles_of, subjects_of
from judge.paper.section import PaperSection
from judge.paper.standings import stand
from judge.published import PARTS
from judge.reports.tables import PAPERS, records
from lorarar.util.formatting import interval, number
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from judge.reports.report import JudgeReport
    from lorarar.bench.plan import Plan
    from lorarar.lora.adapter import Part

ITEM = "table-a3"
OF_ATTENTION: tuple[Part, ...] = ("query", "key", "value", "output")
PAPERS_CHOICE = ("query", "output")
SEEDS = 4
OTHERS = ({"method": "ties", "density": 0.5}, {"method": "direct"})  # that learn nothing, for the scale


def choices() -> list[tuple[Part, ...]]:
    """All choices of parts, small ones first."""
    return [choice for size in range(1, 5) for choice in combinations(OF_ATTENTION, size)]


def row_name(choice: Sequence[str]) -> str:
    """The row of a choice of parts."""
    return "-".join(choice)


def networks() -> list[PaperNetwork]:
    """A network a choice, each trained on the paper's training split."""
    return [
        PaperNetwork(
            f"parts-{row_name(choice)}", subjects_of("train"), styles_of("train"), replace(RECIPE, parts=choice)
        )
        for choice in choices()
    ]


def plans(request: PaperRequest) -> Sequence[Plan]:
    """The validation cells by the networks that are there; none where there are none."""
    return [plan for plan in [_plan(request)] if plan is not None]


def _plan(request: PaperRequest) -> Plan | None:
    files = ready(networks(), request)
    rows = [
        {"method": "lorarar", "name": row_name(choice), "hypernet": str(files[network.name].absolute())}
        for choice, network in zip(choices(), networks(), strict=True)
        if network.name in files
    ]
    if not rows:
        return None
    contents, styles = subjects_of("validation"), styles_of("validation")
    return grid(request, "parts", [*rows, *OTHERS, constants_row()], contents=contents, styles=styles, seeds=SEEDS)


def section(work: PaperWork) -> PaperSection:
    """The table, and where the paper's choice stands beside the others."""
    request = replace(work.request, train=False)  # what it trains is there by now
    lacking = missing_words(networks(), ready(networks(), request), ITEM)
    plan = _plan(request)
    if plan is None:
        return PaperSection(_title(), paragraphs=[f"Not made: {lacking}"], numbers={"missing": lacking})
    report = work.report(plan)
    rows = {line.method for line in report.lines}
    learnt = [name for name in map(row_name, choices()) if name in rows]
    ours = row_name(PAPERS_CHOICE) if row_name(PAPERS_CHOICE) in learnt else learnt[0]
    standings = stand(report, work.request.database, ours, learnt)
    return PaperSection(
        title=_title(),
        paragraphs=[
            "A hypernetwork for every choice of the parts whose coefficients are predicted, the others averaged, all "
            f"trained alike on {len(subjects_of('train'))} x {len(styles_of('train'))} pairs: {recipe_words(request)}. "
            f"Drawn on the validation cells: {grid_words(plan)}.",
            *([lacking] if lacking else []),
        ],
        tables=[_table(report)],
        figures=[
            work.chart(mars2_chart(report, _title()), "MARS2 by the parts that are predicted, with 95 % intervals.")
        ],
        says=[*_best(report, learnt), *standings.sentences],
        says_not=[
            "Which choice is best for networks that are trained as long as the paper's (5,000 steps, a hidden layer of "
            "128): all of these are small, and short of it alike.",
            f"A difference that {plan.pair_count} cells do not show: choices that are not told apart may differ.",
        ],
        numbers={"rows": records(report), **standings.numbers},
    )


def _title() -> str:
    return "Table A3: which parts are predicted"


def _table(report: JudgeReport) -> Table:
    published: Mapping[str, tuple[float, float]] = {
        row_name(sorted(parts, key=OF_ATTENTION.index)): (one.average, one.best) for parts, one in PARTS.items()
    }
    rows = []
    for line in report.lines:
        paper = published.get(line.method, (None, None))
        group = line.group
        ours = [interval(group.average), interval(group.best), number(group.subject), number(group.style)]
        rows.append([line.method, *ours, *map(number, paper)])
    order = [*map(row_name, choices())]
    rows.sort(key=lambda row: order.index(row[0]) if row[0] in order else len(order))
    head = ["predicted", "average case", "best case", "subject right", "style right"]
    return Table("MARS2 by the parts that are predicted", [*head, f"average, {PAPERS}", f"best, {PAPERS}"], rows)


def _best(report: JudgeReport, learnt: Sequence[str]) -> list[str]:
    """Which choice has the most."""
    averages = {line.method: line.group.average for line in report.lines if line.method in learnt}
    judged = {name: one for name, one in averages.items() if one is not None}
    if not judged:
        return []
    best = max(judged, key=lambda name: judged[name].value)
    return [f"Of {len(judged)} choices {best} has the most, {interval(judged[best])}: the best of many is flattered."]
