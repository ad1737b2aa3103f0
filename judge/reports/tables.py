"""A report as the paper's tables, and as flat records for machines.

The paper's figures, of SDXL and LLaVA-Critic-7B, stand in columns of their own that say so, where they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from judge.jury import MAJORITY
from judge.metrics.table import MARS2, METRICS, Metric
from judge.non_answers import in_kinds
from judge.pairwise import records as pair_records
from judge.pairwise.tables import tables as pair_tables
from judge.published import Published
from judge.reports.contest_tables import contest_tables
from judge.reports.groups import FEW, GROUP_HEADS, Attempts, side_sizes
from judge.reports.jury_tables import jury_record, jury_tables
from judge.reports.report import JudgeReport, ReportLine
from judge.verdicts import Judge, judge_record
from lorarar.util.formatting import AT_LEAST, count, in_words, interval, number
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.tables import Table

PAPERS = "the paper's, on SDXL"
OF_PAPER = "paper_"  # before the key of one of its figures
UNCLEAR = ("failed", "unparsed", "not asked")


def tables(report: JudgeReport, *, paper: bool = False) -> list[Table]:
    """Table 1, the attempts of Table 2 and Table A2 by method; Figure A7 by subject, style or cell.

    Args:
        report: the figures.
        paper: whether the paper's own stand beside, by method.
    """
    paper = paper and report.by == "method"
    if report.judge is None:
        all_tables = _metrics(report, paper)
    elif report.by != "method":
        mars2 = [_mars2(report, report.judge, f"MARS2 by {report.by} (Figure A7)", paper), *jury_tables(report)]
        all_tables = [*mars2, *_metrics(report, paper)]
    else:
        mars2 = [_mars2(report, report.judge, "MARS2 (Table 1)", paper), *jury_tables(report)]
        beside = contest_tables(report.contests)
        all_tables = [*mars2, *beside, _attempts(report, paper), *_metrics(report, paper), *_unclear(report)]
    names = len(GROUP_HEADS[report.by])
    of_singles = [
        replace(table, title=f"{table.title}: {report.collection.label}", names=max(names, table.names))
        for table in all_tables
    ]
    return [*of_singles, *(pair_tables(report.pairs, report.collection.label) if report.pairs else [])]


def report_record(report: JudgeReport) -> dict[str, Any]:
    """The whole report as JSON has it."""
    record: dict[str, Any] = {
        "judge": judge_record(report.judge) if report.judge else None,
        "collection": report.collection.label,
        "backbones": dict(report.backbones),
        "brands": list(dict.fromkeys(report.brands.values())),
        "cautions": report.cautions,
        "by": report.by,
        "conclusion": report.conclusion.record(),
        "contests": [contest.record() for contest in report.contests],
        "reasons": dict(report.reasons),
        "low_mass": report.low_mass,
        "groups": records(report),
    }
    if report.jury is not None:
        record["jury"] = jury_record(report.jury, member_records(report))
    if report.pairs is not None:
        record["pairs"] = pair_records.record(report.pairs)
    return record


def records(report: JudgeReport) -> list[dict[str, Any]]:
    """One flat record a group: every figure with its interval, numbers of pictures and of unclear verdicts."""
    return [_record(line, report) for line in report.lines]


def member_records(report: JudgeReport) -> list[list[dict[str, Any]]]:
    """The flat records of each member of a jury; empty where one judge reports."""
    members = report.jury.members if report.jury else ()
    return [[{**_record(line, report), "brand": member.judgement.brand} for line in member.lines] for member in members]


def _mars2(report: JudgeReport, judge: Judge, title: str, paper: bool) -> Table:
    head = [*GROUP_HEADS[report.by], "average case", "best case", "subject right", "style right"]
    if report.against:
        head += [f"average, beyond {report.against}'s", "p of that"]
    if paper:
        head += [f"average, {PAPERS}", f"best, {PAPERS}"]
    rows = []
    for line in report.lines:
        group = line.group
        row = [*line.names, interval(group.average), interval(group.best), number(group.subject)]
        row.append(number(group.style))
        if report.against:
            row += [interval(line.against, signed=True), number(line.against.p if line.against else None, 3)]
        if paper:
            row += [_of_paper(line, lambda figures: figures.average), _of_paper(line, lambda figures: figures.best)]
        rows.append(row)
    brands = [report.brands[MARS2]] if MARS2 in report.brands else []
    return Table(title, head, rows, [*brands, _who(judge), _how(report)])


def _attempts(report: JudgeReport, paper: bool) -> Table:
    """Attempts over the pairs that all methods have, and how many of those have no correct picture."""
    rows = []
    for line in report.lines:
        attempts = line.group.attempts
        without = f"{attempts.without} of {attempts.pairs}" if attempts else ""
        of_paper = [_of_paper(line, lambda figures: figures.attempts)] if paper else []
        rows.append([*line.names, attempts_text(attempts), without, *of_paper])
    note = (
        "Expected number of pictures drawn to the first that is correct, over the pairs that every method has verdicts "
        f"on. {AT_LEAST}: at least, since a pair of n pictures with none correct counts n + 1."
    )
    head = ["method", "attempts", "pairs without a correct picture", *([PAPERS] if paper else [])]
    return Table("Attempts to a good picture (Table 2)", head, rows, [note])


def attempts_text(attempts: Attempts | None) -> str:
    """Attempts with their interval as text, marked where they are a lower bound."""
    return "" if attempts is None else f"{AT_LEAST} " * attempts.at_least + interval(attempts.mean)


def _metrics(report: JudgeReport, paper: bool) -> list[Table]:
    """The metrics of Table A2, and those that the paper has not; only what was measured."""
    measured = [METRICS[name] for name in report.backbones]
    of_paper = [metric for metric in measured if metric.published]
    others = [metric for metric in measured if not metric.published]
    title = in_words([metric.title for metric in METRICS.values() if metric.published])
    tables = []
    if of_paper:
        tables.append(_metric_table(report, of_paper, f"{title} (Table A2)" if report.by == "method" else title, paper))
    if others:
        tables.append(_metric_table(report, others, in_words([metric.title for metric in others]), paper))
    return tables


def _metric_table(report: JudgeReport, metrics: Sequence[Metric], title: str, paper: bool) -> Table:
    published = [metric for metric in metrics if metric.published and paper]
    head = [*GROUP_HEADS[report.by], *(metric.title for metric in metrics)]
    head += [f"{metric.title}, {PAPERS}" for metric in published]
    rows = []
    for line in report.lines:
        row = [*line.names, *(interval(line.metrics.get(metric.name), metric.places) for metric in metrics)]
        rows.append(row + [number(metric.published.get(line.method), metric.places) for metric in published])
    notes = [f"{m.title}: {m.help}, {m.direction}; by {report.backbones[m.name]}." for m in metrics]
    notes += [report.cautions[metric.name] for metric in metrics if metric.name in report.cautions]
    brands = dict.fromkeys(report.brands[metric.name] for metric in metrics if metric.name in report.brands)
    return Table(title, head, rows, [*brands, *notes])


def _unclear(report: JudgeReport) -> list[Table]:
    """The unclear verdicts by method; no table where there are none."""
    kinds = sorted({kind for line in report.lines for kind in line.group.unclear})
    if not kinds:
        return []
    rows = [
        [*line.names, *(str(line.group.unclear[kind]) for kind in kinds), str(line.group.score.undecided)]
        for line in report.lines
    ]
    ties = ", but those of a jury that is tied" if "tied" in kinds else ""
    notes = [f"Verdicts that are not clear are no scores; lorarar judge run asks them again{ties}."]
    if report.reasons:
        notes.append(f"Why: {in_kinds(report.reasons)}")
    return [Table("Unclear verdicts", ["method", *kinds, "pictures undecided"], rows, notes)]


def _who(judge: Judge) -> str:
    settings = ", ".join(f"{key} {judge.identity[key]}" for key in ("revision", "image mode") if key in judge.identity)
    in_brackets = f" ({settings})" if settings else ""
    return f"Judged by {judge.critic}{in_brackets} with the prompts {judge.prompts}."


def _low_mass(report: JudgeReport) -> list[str]:
    """How many verdicts the words gave although probabilities were there; nothing where none."""
    if not report.low_mass:
        return []
    return [f"In {report.low_mass} verdicts Yes and No together weighed less than half, and the words decided."]


def _how(report: JudgeReport) -> str:
    pictures = sum(line.group.score.images for line in report.lines)
    unclear = sum(sum(line.group.unclear.values()) for line in report.lines)
    brackets = "In brackets: 95 % bootstrap intervals, subjects and styles drawn anew; none where all draws are alike."
    adjusted = "p is Holm's, over all methods that are compared. " if report.against else ""
    kinds = "failed, unparsed, not asked or tied" if report.jury else "failed, unparsed or not asked"
    counted = f"{pictures} pictures with a verdict, {unclear} verdicts {kinds}."
    return f"{brackets} {_too_few(report)}{adjusted}{counted}"


def _too_few(report: JudgeReport) -> str:
    """A warning where intervals are of few subjects or styles."""
    sizes = side_sizes(line.group for line in report.lines)
    few = [count(size, side) for side, size in sizes.items() if size < FEW]
    return f"With {in_words(few)} the intervals are too narrow (docs/judge.md). " if few else ""


def _record(line: ReportLine, report: JudgeReport) -> dict[str, Any]:
    record: dict[str, Any] = dict(zip(GROUP_HEADS[report.by], line.group.name, strict=True))
    intervals = {"average": line.group.average, "best": line.group.best} if report.judge else {}
    if report.against is not None:
        intervals["against"] = line.against
    intervals |= {name: line.metrics.get(name) for name in report.backbones}
    for name, figure in intervals.items():
        record |= Interval.record(name, figure)
    if report.against is not None:
        record["against_p"] = line.against.p if line.against else None
    record |= _mars2_record(line, report) if report.judge else {}
    if report.by == "method":
        record |= _paper_record(line)
    return record | {"collection": report.collection.label, "brand": " ".join(dict.fromkeys(report.brands.values()))}


def _mars2_record(line: ReportLine, report: JudgeReport) -> dict[str, Any]:
    """What there is of verdicts beside the average and the best case."""
    score = line.group.score
    return {
        **_attempts_record(line.group.attempts),
        "subject_right": line.group.subject,
        "style_right": line.group.style,
        "images": score.images,
        "pairs": score.pairs,
        "undecided": score.undecided,
        **{kind.replace(" ", "_"): line.group.unclear[kind] for kind in UNCLEAR + (("tied",) if report.jury else ())},
    }


def _attempts_record(attempts: Attempts | None) -> dict[str, float | int | None]:
    """Attempts with their interval; where any pair has no correct picture they are a lower bound."""
    return {
        **Interval.record("attempts", attempts.mean if attempts else None),
        "attempts_pairs": attempts.pairs if attempts else None,
        "attempts_pairs_without": attempts.without if attempts else None,
    }


def _paper_record(line: ReportLine) -> dict[str, float | None]:
    """The paper's figures of a method, those of the metrics among them."""
    paper = line.published
    return {
        "paper_average": paper.average if paper else None,
        "paper_best": paper.best if paper else None,
        **{f"paper_{metric.key}": metric.published.get(line.method) for metric in METRICS.values() if metric.published},
        "paper_attempts": paper.attempts if paper else None,
    }


def _of_paper(line: ReportLine, figure: Callable[[Published], float | None], places: int = 2) -> str:
    return number(figure(line.published) if line.published else None, places)


def csv_rows(report: JudgeReport, *, paper: bool = False) -> tuple[Sequence[str], list[Sequence[object]]]:
    """The head and the rows of a report's records; ``paper``: with the paper's figures of methods.

    A jury's have a column that says whose each is: first the majority's, then each member's. Where there are neither
    verdicts nor metrics they are of pairs.
    """
    of_pairs = report.judge is None and not report.backbones and report.pairs is not None
    rows = pair_records.csv_rows(report.pairs) if of_pairs and report.pairs else records(report)
    if report.jury is not None:
        sides = zip(
            [MAJORITY, *(member.name for member in report.jury.members)], [rows, *member_records(report)], strict=True
        )
        rows = [{"judge": name, **row} for name, own in sides for row in own]
    head = [name for name in rows[0] if paper or not name.startswith(OF_PAPER)] if rows else []
    return head, [[row[name] for name in head] for row in rows]
