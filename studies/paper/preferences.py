"""Figure 7: how often one of two methods is preferred, by simulated raters, on random pictures and on accepted ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from judge.paper.grids import grid_words, test_grid
from judge.paper.section import PaperSection
from lorarar.pictures.dot_chart import DotChart, Mark, Panel
from lorarar.util.formatting import bounds, count, number
from lorarar.util.tables import Table
from studies.errors import StudyError
from studies.figures import Figure, StudyReport
from studies.paper.grid_studies import MARK, NOISE, RATERS, GridStudy, commands, figure_named, records, tried
from studies.power import power_sentence, study_powers
from studies.store import Study

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from judge.paper.work import PaperWork
    from lorarar.bench.plan import Plan

OURS, OTHERS = "lorarar", ("ziplora", "direct")  # set beside each in turn; the paper's people saw ZipLoRA alone
SCENARIOS = {"random": "any picture of a pair", "best": "pictures that MARS2 accepts"}
Tried = Mapping[tuple[str, str], "tuple[Study, StudyReport]"]  # by the other method and the scenario


def plans(request: PaperRequest) -> Sequence[Plan]:
    """The test grid."""
    return [test_grid(request)]


def section(work: PaperWork) -> PaperSection:
    """The shares of preferences, marked as simulated in title, paragraphs, figure and numbers."""
    plan = test_grid(work.request)
    done, failed = _try(work, plan)
    some = next(iter(done.values()), None)
    outcomes = {key: _outcomes(report, *key) for key, (_, report) in done.items()}
    return PaperSection(
        title=f"Figure 7: preferences by {MARK}",
        paragraphs=[
            f"{MARK}: {RATERS} of them see what MARS2 says of each picture through noise ({NOISE:g} of a quality in "
            f"0..1) and so say nothing of what people see. Shown is what `lorarar study report` makes of such votes: "
            f"{grid_words(plan)}. Accepted pictures are those on which MARS2 has no opinion left.",
            *failed,
            *([power_sentence(some[0], study_powers(some[0]))] if some else []),
            *(["With people: " + "; ".join(f"`{line}`" for line in commands(some[0], plan)) + "."] if some else []),
        ],
        tables=[_table(outcomes)] if done else [],
        figures=[work.chart(_chart(outcomes), f"Shares of votes by {MARK}, with 95 % intervals.")] if done else [],
        says=[_sentence(key, report) for key, (_, report) in done.items()],
        says_not=[
            "What people prefer: no person has voted.",
            "Anything that MARS2 does not say already: simulated raters follow it.",
        ],
        numbers={
            "simulated": True,
            "raters": RATERS,
            "noise": NOISE,
            "studies": {f"{other}, {scenario}": records(report) for (other, scenario), (_, report) in done.items()},
        },
    )


def _try(work: PaperWork, plan: Plan) -> tuple[Tried, list[str]]:
    """The studies that can be made, and why the others cannot."""
    done: dict[tuple[str, str], tuple[Study, StudyReport]] = {}
    failed = []
    methods = [row.row_name for row in plan.methods]
    for other in OTHERS:
        for scenario in ("random", "best"):
            if {OURS, other} - {*methods}:
                failed.append(f"Grid {plan.title} has not both {OURS} and {other}.")
                break
            wanted = GridStudy(f"figure-7-{other}-{scenario}", "ab", (OURS, other), scenario)
            try:
                done[other, scenario] = tried(work, plan, wanted)
            except StudyError as error:
                failed.append(f"No study of {OURS} and {other} on {SCENARIOS[scenario]}: {error}.")
    return done, failed


def _outcomes(report: StudyReport, other: str, scenario: str) -> dict[str, Figure]:
    """The shares of a report: ours better, comparable, the other better."""
    names = {"LoRA.rar better": f"{OURS} better", "comparable": "comparable", f"{other} better": f"{other} better"}
    shares = {words: figure_named(report, name) for words, name in names.items()}
    return {words: figure for words, figure in shares.items() if figure is not None}


def _sentence(key: tuple[str, str], report: StudyReport) -> str:
    """The report's own conclusion, which begins with whom it is of."""
    other, scenario = key
    return f"Beside {other}, {SCENARIOS[scenario]}: {report.figures[0].value}."


def _text(figure: Figure | None) -> str:
    if figure is None or not isinstance(figure.value, float):
        return figure.note if figure else ""
    ends = "" if figure.low is None or figure.high is None else f" ({bounds(figure.low, figure.high)})"
    return f"{number(figure.value)}{ends}"


def _table(outcomes: Mapping[tuple[str, str], Mapping[str, Figure]]) -> Table:
    rows = []
    for (other, scenario), of in outcomes.items():
        votes = next((count(figure.n, "vote") for figure in of.values() if figure.n), "")
        rows.append([other, SCENARIOS[scenario], *map(_text, of.values()), votes])
    head = ["beside", "pictures", "LoRA.rar better", "comparable", "the other better", "of"]
    return Table(f"Votes of {MARK}", head, rows, names=2)


def _chart(outcomes: Mapping[tuple[str, str], Mapping[str, Figure]]) -> DotChart:
    series = ["LoRA.rar better", "comparable", "the other better"]
    marks: list[Any] = []
    for row, of in enumerate(outcomes.values()):
        for place, figure in enumerate(of.values()):
            if isinstance(figure.value, float):
                low, high = (figure.value if end is None else end for end in (figure.low, figure.high))
                marks.append(Mark(row, place, figure.value, low, high))
    rows = [f"{other}, {SCENARIOS[scenario]}" for other, scenario in outcomes]
    return DotChart(
        f"Preferences by {MARK}", rows, series, [Panel("share of votes", marks)], f"{MARK}: they follow MARS2."
    )
