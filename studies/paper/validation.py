"""Next check 2: people against MARS2, as a study that anybody can run, tried with simulated raters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from judge.paper.grids import grid_words, test_grid
from judge.paper.section import PaperSection
from lorarar.pictures.scatter_chart import Point, ScatterChart, ScatterPanel
from lorarar.util.formatting import bounds, number
from lorarar.util.tables import Table
from studies.figures import Figure, Points
from studies.paper.grid_studies import MARK, NOISE, RATERS, GridStudy, commands, records, tried
from studies.power import StudySize, correlation_sentence

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from lorarar.bench.plan import Plan

STUDY = GridStudy("check-2", "absolute", ("direct",))  # the paper's correlation is of the plain sum's pictures
SHOWN = 4  # metrics that have a panel
PAPER = "the paper's people and LLaVA-Critic on SDXL: MARS2 0.76, CLIP-I 0.08, DINO -0.01"


def plans(request: PaperRequest) -> Sequence[Plan]:
    """The test grid."""
    return [test_grid(request)]


def section(work: PaperWork) -> PaperSection:
    """What the study asks, what it can find out, and what its report says of simulated raters, marked so."""
    plan = test_grid(work.request)
    study, report = tried(work, plan, STUDY)
    size = StudySize.of_study(study)
    correlations = [one for one in report.figures if one.section == "correlation" and isinstance(one.value, float)]
    return PaperSection(
        title=f"Next check 2: people against MARS2, tried with {MARK}",
        paragraphs=[
            f"The study that answers it: {study.item_count} pictures of {', '.join(study.methods)}, one of each pair "
            f"of {grid_words(plan)}; people say of each whether it shows the subject, the style, both or neither, and "
            "their mean is set beside MARS2 and the metrics. It is frozen in the database; nobody has voted.",
            correlation_sentence(size),
            "With people: " + "; ".join(f"`{line}`" for line in commands(study, plan)) + ".",
            f"{MARK}: below is what its report says of {RATERS} raters who see MARS2 itself through noise ({NOISE:g}). "
            "So their correlation with MARS2 is put in, not found; it shows the report, and how wide intervals are.",
        ],
        tables=[_table(correlations)],
        figures=[work.chart(_chart(report.points), f"{MARK} against MARS2 and metrics, a picture a point.")]
        if report.points
        else [],
        says=[str(report.figures[0].value) + "."],
        says_not=[
            "How far people agree with MARS2: no person has voted.",
            "That the paper's figures, which stand beneath the table, hold for this judge and these pictures.",
        ],
        numbers={
            "simulated": True,
            "raters": RATERS,
            "noise": NOISE,
            "size": size.record(),
            "report": records(report),
            "commands": commands(study, plan),
        },
    )


def _table(correlations: Sequence[Figure]) -> Table:
    rows = []
    for one in correlations:
        ends = "" if one.low is None or one.high is None else f" ({bounds(one.low, one.high)})"
        value = number(one.value if isinstance(one.value, float) else None)
        rows.append([one.of, one.name, f"{value}{ends}", f"{one.n or ''} {one.counted}".strip()])
    return Table(
        f"Correlations of {MARK} with metrics", ["with", "what", "value", "of"], rows, [f"Beside it: {PAPER}."]
    )


def _chart(points: Sequence[Points]) -> ScatterChart:
    both = [one for one in points if one.aspect == "both"] or [*points]
    panels = [
        ScatterPanel(
            f"{one.metric} ({one.aspect})",
            f"{one.metric} by {one.by}",
            "share of raters who say yes",
            [Point("", x, y) for x, y in zip(one.scores, one.people, strict=True)],
        )
        for one in both[:SHOWN]
    ]
    return ScatterChart(f"{MARK} against metrics", ["picture"], panels, f"{MARK}: they follow MARS2 through noise.")
