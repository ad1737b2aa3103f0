"""A report as plain rows, one a figure, of a judge or of a jury."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from judge.jury import MAJORITY, JuryAgreement
from judge.metrics.table import MARS2, METRICS
from judge.pairwise.sources import ASKED
from judge.pairwise.tables import sides
from judge.reports.groups import GROUP_HEADS
from lorarar.util.formatting import count

if TYPE_CHECKING:
    from judge.pairwise.figures import PairFigures
    from judge.reports.contests import Contest
    from judge.reports.groups import Attempts
    from judge.reports.report import JudgeReport, ReportLine
    from lorarar.util.statistics.bootstrap import Interval
    from lorarar.util.statistics.crossed import Difference


@dataclass(frozen=True)
class ReportFigure:
    """A number of a report, with what it is of and by whom."""

    collection: str
    method: str  # empty where the pictures say none, and of what is about a whole jury
    subject: str  # empty but where figures are by subject or cell
    style: str
    name: str  # average, best, attempts, subject_right, style_right, difference, a metric, preference_both, alpha, …
    by: str  # the critic, ``majority`` of a jury, or the backbone
    prompts: str  # that the critic was asked with; empty of metrics
    value: float | None
    low: float | None = None  # bounds of the 95 % interval
    high: float | None = None
    n: int | None = None  # pictures, pairs or questions
    p: float | None = None  # of a difference or a preference, adjusted
    against: str = ""  # the method that a difference or a preference is beside
    note: str = ""


def report_figures(report: JudgeReport) -> Iterator[ReportFigure]:
    """The rows of a report; of a jury the majority's, each member's, and then how far they agree."""
    common = ReportFigure(report.collection.label, "", "", "", "", "", "", None)
    critic, prompts = (report.judge.critic, report.judge.prompts) if report.judge else ("", "")
    brand = report.brands.get(MARS2, "")
    critic = MAJORITY if report.jury else critic
    yield from _sides(replace(common, by=critic, prompts=prompts, note=brand), report, report.lines)
    for contest in report.contests:
        yield from _contest(replace(common, method=contest.method, by=critic, prompts=prompts, note=brand), contest)
    if report.jury is not None:
        for member in report.jury.members:
            own = member.judgement
            side = replace(common, by=member.name, prompts=own.judge.prompts, note=own.brand)
            yield from _sides(side, report, member.lines)
        yield from _agreement(replace(common, by=MAJORITY, prompts=prompts), report.jury.agreement)
    if report.pairs is not None:
        yield from pair_figures(report.pairs, report.collection.label)


def _contest(common: ReportFigure, contest: Contest) -> Iterator[ReportFigure]:
    """Whether a method works, 1 or 0, nothing where that cannot be said; by how much it exceeds each rival's row."""
    value = None if contest.works is None else float(contest.works)
    yield replace(common, name="works", value=value, p=contest.p, note=_notes(contest.sentence, common.note))
    for one in contest.beside:
        row = replace(common, against=one.row)
        p = one.difference.p if one.difference else None
        yield _with(replace(row, name="beyond_rival", p=p), one.difference)
        for name, difference in one.metrics.items():
            yield _with(replace(row, name=f"{METRICS[name].key}_beyond_rival", p=difference.p), difference)


def pair_figures(figures: PairFigures, collection: str) -> Iterator[ReportFigure]:
    """The rows of what was judged in pairs; of a jury the majority's, each member's, and then how far they agree."""
    common = ReportFigure(collection, "", "", "", "", "", figures.judge.prompts, None)
    source = "" if figures.source is ASKED else figures.source.what
    if figures.jury is None:
        note = _notes(source, figures.brand)
        yield from _pair_side(replace(common, by=figures.judge.critic, note=note), figures)
        return
    for name, own in sides(figures):
        note = _notes(source, own.brand)
        yield from _pair_side(replace(common, by=name, prompts=own.judge.prompts, note=note), own)
    yield from _agreement(replace(common, by=MAJORITY), figures.jury.agreement, "pairs_")


def _pair_side(common: ReportFigure, figures: PairFigures) -> Iterator[ReportFigure]:
    """The rows of one judge: strengths, what became of every two methods, and how orders, or a jury, disagree."""
    for facet, strengths in figures.strengths.items():
        for method, strength in strengths.by_method.items():
            yield _with(replace(common, method=method, name=f"strength_{facet}"), strength)
    for tally in figures.tallies:
        method, against = tally.methods
        p = tally.preference.p if tally.preference else None
        row = replace(common, method=method, against=against, n=tally.decided)
        yield _with(replace(row, name=f"preference_{tally.facet}", p=p), tally.preference)
        for name, number in (("wins", tally.wins), ("ties", tally.ties), ("losses", tally.losses)):
            yield replace(row, name=f"{name}_{tally.facet}", value=number)
    if figures.jury is not None:
        yield _with(replace(common, name="no_majority"), figures.disagreements)
        return
    yield _with(replace(common, name="orders_disagree"), figures.disagreements)
    yield _with(replace(common, name="shown_first"), figures.shown_first)


def _sides(common: ReportFigure, report: JudgeReport, lines: Sequence[ReportLine]) -> Iterator[ReportFigure]:
    """The rows of one judge, group by group."""
    for line in lines:
        names = dict(zip(GROUP_HEADS[report.by], line.group.name, strict=True))
        method, subject, style = (names.get(head, "") for head in ("method", "subject", "style"))
        group = replace(common, method=method, subject=subject, style=style)
        if report.judge is not None:
            yield from _mars2(group, line, report.against)
        for name, backbone in report.backbones.items():
            if name in line.metrics:
                metric = replace(group, name=name, by=backbone, prompts="", note=report.brands.get(name, ""))
                yield _with(metric, line.metrics[name])


def _mars2(common: ReportFigure, line: ReportLine, against: str | None) -> Iterator[ReportFigure]:
    group, score = line.group, line.group.score
    yield _with(replace(common, name="average", n=score.images), group.average)
    yield _with(replace(common, name="best", n=score.pairs), group.best)
    yield _attempts(replace(common, name="attempts"), group.attempts)
    yield replace(common, name="subject_right", value=group.subject, n=score.images)
    yield replace(common, name="style_right", value=group.style, n=score.images)
    yield replace(common, name="undecided", value=score.undecided, n=score.images + score.undecided)
    if against not in (None, line.method):
        p = line.against.p if line.against else None
        yield _with(replace(common, name="difference", p=p, against=against), line.against)


def _attempts(row: ReportFigure, attempts: Attempts | None) -> ReportFigure:
    if attempts is None:
        return row
    note = f"at least: {count(attempts.without, 'pair')} without a correct picture" if attempts.at_least else ""
    return _with(replace(row, n=attempts.pairs, note=_notes(note, row.note)), attempts.mean)


def _agreement(common: ReportFigure, agreement: JuryAgreement, of: str = "") -> Iterator[ReportFigure]:
    """How far a jury agrees; ``of`` begins each name."""
    yield _with(replace(common, name=f"{of}alpha", n=agreement.questions), agreement.alpha)
    for (one, other), kappa in agreement.kappas.items():
        names = f"{agreement.names[one]} and {agreement.names[other]}"
        yield replace(common, name=f"{of}kappa", by=names, value=kappa)
    counts = {"answered_by_all": agreement.answered, "alike": agreement.alike, "tied": agreement.tied}
    for name, number in counts.items():
        yield replace(common, name=f"{of}{name}", value=number, n=agreement.questions)


def _with(row: ReportFigure, figure: Interval | Difference | None) -> ReportFigure:
    """A row with a figure and its bounds; nothing of a figure that is not defined."""
    return row if figure is None else replace(row, value=figure.value, low=figure.low, high=figure.high)


def _notes(*notes: str) -> str:
    return "; ".join(filter(None, notes))
