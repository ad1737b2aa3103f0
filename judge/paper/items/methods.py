"""The neutral table: every method on the test grid, by one judge, with pairs, the truth, seconds and memory beside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from judge.choice import PictureChoice
from judge.judges import Judges
from judge.non_answers import in_kinds
from judge.pairwise.sources import ASKED, CONFIDENCE
from judge.paper.footprint import MEGABYTE, MergeFootprint, kept_footprint
from judge.paper.grid_values import ByMethod, metric_by_pair
from judge.paper.grids import grid_words, quick_row, test_grid
from judge.paper.section import PaperSection
from judge.paper.standings import WITHOUT_JUDGE, Measure, stand
from judge.reports.chart import make_chart
from judge.reports.tables import records
from lorarar.bench.plan import MethodRow
from lorarar.lora.drawn_methods import DRAWN
from lorarar.merging.methods.table import METHODS
from lorarar.util.formatting import count, interval, number
from lorarar.util.statistics.crossed import over_pairs
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from judge.pairwise.figures import PairFigures
    from judge.pairwise.full_run import PairRun
    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from judge.reports.report import ReportLine
    from lorarar.bench.plan import Plan

NO_SECOND = (
    "That pairs by confidence are a second opinion: they are of the very probabilities whose yes or no MARS2 counts, "
    "and tell more of pictures that are all right, or all wrong."
)
PAIR_SEEDS = 2  # of each pair that are compared two by two: so many methods are more than a hundred twos
LEARNT = "ziplora"  # whose row says how a method that trains for a pair does so on this base


def plans(request: PaperRequest) -> Sequence[Plan]:
    """The test grid with all methods."""
    return [_grid(request)]


def _grid(request: PaperRequest) -> Plan:
    """The test grid's rows, whose pictures it shares, and a row of each method that has none there."""
    plan = test_grid(request)
    there = {row.method for row in plan.methods}
    learning = next((dict(row.model_extra or {}) for row in plan.methods if row.method == LEARNT), {})
    rows = [_row(name, learning) for name in (*METHODS.own, *DRAWN) if name not in there]
    own = map(quick_row, rows) if request.quick else rows
    return plan.model_copy(update={"title": f"{plan.title}-methods", "methods": (*plan.methods, *own)})


def _row(name: str, learning: Mapping[str, Any]) -> MethodRow:
    """A method at its own defaults; one that trains for a pair as ``learning`` says."""
    row = MethodRow.model_validate({"method": name})
    return MethodRow.model_validate({"method": name, **learning}) if row.trains else row


def section(work: PaperWork) -> PaperSection:
    """The table, and where its first method stands beside the others by each figure."""
    plan = _grid(work.request)
    run = _ask_pairs(work, plan)
    report = work.report(plan, confidence=run.is_empty)
    lines = sorted(report.lines, key=_average, reverse=True)
    taken = {row.row_name: kept_footprint(work, plan, row) for row in plan.methods if row.drawn_by is None}
    without = {
        metric: metric_by_pair(report, metric, work.request.database)
        for metric in WITHOUT_JUDGE
        if metric in report.backbones
    }
    first = lines[0].method
    standings = stand(report, work.request.database, first)
    if report.pairs:
        words = f"{_capital(report.pairs.source.what)}, by the share won, ties half"
        standings.add("pairs", {name: dict(of) for name, of in report.pairs.shares.items()}, Measure(words, 2))
    return PaperSection(
        title="The neutral table: all methods by one judge",
        paragraphs=[
            f"Every method at its own defaults on the same cells, the best by MARS2 first: {grid_words(plan)}. "
            "Seconds are of one pair with all that a method reads and trains for it, each in a process of its own, one "
            "after the other.",
            _how_paired(run),
        ],
        tables=[_table(lines, report.pairs, without, taken)],
        figures=[work.chart(make_chart(report), "MARS2 by method, with 95 % intervals.")],
        says=standings.sentences,
        says_not=[
            "Which method is best at its best settings: all have those that they come with, but the rows whose names "
            "say otherwise.",
            f"That {first} is as much ahead as it looks: the first of many is flattered, its intervals are not.",
            "Anything of another base, or of other LoRAs than these.",
            *([NO_SECOND] if report.pairs and report.pairs.source is CONFIDENCE else []),
        ],
        numbers={"rows": records(report), **standings.numbers},
    )


def _average(line: ReportLine) -> float:
    return line.group.average.value if line.group.average else -1.0


def _how_paired(run: PairRun) -> str:
    """How pictures were compared two by two."""
    if not run.is_empty:
        return f"{count(PAIR_SEEDS, 'picture')} of each pair are compared two by two as well."
    reasons = Counter[str]()
    for outcome in run.outcomes.values():
        reasons.update(outcome.reasons)
    why = f" ({in_kinds(reasons).rstrip('.')})" if reasons else ""
    return (
        f"Asked about two pictures this judge makes no choice{why}, so all pictures of a cell are compared by its "
        "confidence: the better one is that which it is surer of, by the probabilities of its verdicts."
    )


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


def _ask_pairs(work: PaperWork, plan: Plan) -> PairRun:
    """Ask the grid's judge about pictures two by two."""
    from judge.pairwise.full_run import PairRequest, judge_all_pairs

    seeds = ",".join(f"seed={seed}" for seed in plan.pictures.seeds[:PAIR_SEEDS])
    choice = PictureChoice(work.request.db, f"plan={plan.title},{seeds}")
    settings = {"device": work.request.device} if work.request.device else {}
    return judge_all_pairs(PairRequest(choice, Judges(settings=settings)))


def _table(
    lines: Sequence[ReportLine],
    pairs: PairFigures | None,
    without: Mapping[str, ByMethod],
    taken: Mapping[str, MergeFootprint],
) -> Table:
    strengths = pairs.strengths["both"].by_method if pairs else {}
    source = pairs.source if pairs else ASKED
    rows = []
    for line in lines:
        name = line.method
        measured = [
            interval(over_pairs(without[metric][name]), measure.places) if name in without.get(metric, {}) else ""
            for metric, measure in WITHOUT_JUDGE.items()
        ]
        one = taken.get(name)
        cost = [number(one.seconds, 3), number(one.memory / MEGABYTE, 0)] if one else ["", ""]
        rows.append([name, interval(line.group.average), interval(strengths.get(name), signed=True), *measured, *cost])
    notes = [
        "In brackets: 95 % bootstrap intervals, subjects and styles drawn anew. Strength "
        f"{source.what}: Davidson's log strength of being {source.in_both}, with a mean of 0; RMS, of 255: less is "
        "better. A method without seconds merges nothing: it works while it draws.",
    ]
    measures = "RMS to the truth", "identified", "seconds", "extra memory, MB"
    return Table("All methods by one judge", ["method", "MARS2", f"strength {source.what}", *measures], rows, notes)
