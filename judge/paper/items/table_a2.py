"""Table A2: CLIP-I, DINO and CLIP-T by method on the test grid, and what they have to do with MARS2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from judge.metrics.stored_scores import best_scores
from judge.metrics.table import METRICS
from judge.paper.errors import PaperError
from judge.paper.grid_values import metric_by_pair
from judge.paper.grids import grid_words, test_grid
from judge.paper.section import PaperSection
from judge.paper.sentences import record
from judge.paper.standings import Measure, Standings, main_method
from judge.reports.chart import make_metric_chart
from judge.reports.tables import records, tables
from lorarar.store.opening import open_for_reading
from lorarar.util.formatting import interval
from lorarar.util.statistics.crossed import Difference, difference_over_pairs
from lorarar.util.statistics.holm import APART, with_holm

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from judge.reports.report import JudgeReport
    from lorarar.bench.plan import Plan
    from lorarar.store.queries import Pair


def plans(request: PaperRequest) -> Sequence[Plan]:
    """The test grid."""
    return [test_grid(request)]


def section(work: PaperWork) -> PaperSection:
    """The metrics by method, where LoRA.rar stands by each, and how MARS2's verdicts show in them.

    Raises:
        PaperError: none of the three was measured.
    """
    plan = test_grid(work.request)
    report = work.report(plan)
    names = [name for name, metric in METRICS.items() if metric.published and name in report.backbones]
    if not names:
        raise PaperError("no picture has CLIP-I, DINO or CLIP-T; lorarar judge run says why")
    standings, says = Standings(main_method(report)), []
    for name in names:
        values = metric_by_pair(report, name, work.request.database)
        standings.add(name, values, Measure(f"By {METRICS[name].title}", METRICS[name].places))
        says += _leaders(report, name)
    beyond_refused = with_holm({name: _beyond_refused(report, name, work) for name in names})
    accepted = {name: one for name, one in beyond_refused.items() if one is not None}
    return PaperSection(
        title="Table A2: CLIP-I, DINO and CLIP-T by method",
        paragraphs=[
            f"The pictures of Table 1 ({grid_words(plan)}), measured by what is customary for one concept alone.",
        ],
        tables=[table for table in tables(report, paper=True) if "(Table A2)" in table.title],
        figures=[work.chart(make_metric_chart(report, names), "CLIP-I, DINO and CLIP-T, with 95 % intervals.")],
        says=[*standings.sentences, *says, *(_accepted_words(name, one) for name, one in accepted.items())],
        says_not=[
            "Which method makes the better picture: CLIP-I is largest for a copy of the style's reference and DINO for "
            "one of the subject's (`lorarar judge exploit`).",
            "Anything beside the paper's columns: the backbones are this base's own, with a scale of their own.",
        ],
        numbers={
            "rows": records(report),
            **standings.numbers,
            "accepted_beyond_refused": record(accepted),
        },
    )


def _leaders(report: JudgeReport, metric: str) -> list[str]:
    """Which method has the most of a metric, and which by MARS2."""
    scored = {line.method: line.metrics[metric].value for line in report.lines if metric in line.metrics}
    judged = {line.method: line.group.average.value for line in report.lines if line.group.average}
    if not scored or not judged:
        return []
    most, best = max(scored, key=lambda name: scored[name]), max(judged, key=lambda name: judged[name])
    agree = "which MARS2 puts first too" if most == best else f"where MARS2 puts {best} first"
    return [f"{METRICS[metric].title} puts {most} first, {agree}."]


def _beyond_refused(report: JudgeReport, metric: str, work: PaperWork) -> Difference | None:
    """By how much a metric is larger of pictures that MARS2 accepts than of those it refuses, cell by cell.

    Each cell's pictures, by all methods, are compared with one another, so that no easy subject weighs; None where no
    cell has both.
    """
    targets = [picture.target for picture in report.pictures]
    with open_for_reading(work.request.database) as store, store.reading() as database:
        scores = best_scores(database, METRICS[metric], targets).values
    sides: Mapping[bool, dict[Pair, list[float]]] = {True: {}, False: {}}
    for picture, value in zip(report.pictures, scores, strict=True):
        if picture.correct is not None and value is not None:
            sides[picture.correct].setdefault(picture.pair, []).append(value)
    means: list[Any] = [{pair: sum(of) / len(of) for pair, of in sides[side].items()} for side in (True, False)]
    return difference_over_pairs(*means)


def _accepted_words(metric: str, difference: Difference) -> str:
    places = METRICS[metric].places
    text = interval(difference, places, signed=True, always=True)
    if difference.p is not None and difference.p < APART:
        more = "more" if difference.value > 0 else "less"
        return f"Pictures that MARS2 accepts have {more} {METRICS[metric].title} than others of their cell: {text}."
    return f"{METRICS[metric].title} does not tell pictures that MARS2 accepts from others of their cell: {text}."
