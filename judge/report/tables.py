"""A report as the paper's tables, and as flat records for machines.

The paper's figures, of SDXL and LLaVA-Critic-7B, stand in columns of their own that say so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from judge.paper import Published
from judge.report.report import Line, Report
from judge.verdicts import Judge
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.tables import Table

PAPERS = "the paper's, on SDXL"
GROUP_HEADS = {
    "method": ("method",),
    "subject": ("method", "subject"),
    "style": ("method", "style"),
    "cell": ("method", "subject", "style"),
}


def tables(report: Report) -> list[Table]:
    """Table 1, the attempts of Table 2 and Table A2 by method; Figure A7 by subject, style or cell."""
    if report.by != "method":
        return [_mars2(report, f"MARS2 by {report.by} (Figure A7)"), *_metrics(report)]
    return [_mars2(report, "MARS2 (Table 1)"), _attempts(report), *_metrics(report), *_unclear(report)]


def records(report: Report) -> list[dict[str, Any]]:
    """One flat record a group: every figure with its interval, numbers of pictures and of unclear verdicts."""
    return [_record(line, report) for line in report.lines]


def about(judge: Judge) -> dict[str, str]:
    """Who judged, in full."""
    return {"judge": str(judge.id), "prompts": judge.prompts, **judge.identity}


def _mars2(report: Report, title: str) -> Table:
    head = [*GROUP_HEADS[report.by], "average case", "best case", "subject right", "style right"]
    published = report.by == "method"
    if report.against:
        head.append(f"average, beyond {report.against}'s")
    if published:
        head += [f"average, {PAPERS}", f"best, {PAPERS}"]
    rows = []
    for line in report.lines:
        group = line.group
        row = [*_names(line), _interval(group.average), _interval(group.best), _share(group.subject)]
        row.append(_share(group.style))
        if report.against:
            row.append(_interval(line.against, signed=True))
        if published:
            row += [_of_paper(line, lambda paper: paper.average), _of_paper(line, lambda paper: paper.best)]
        rows.append(row)
    return Table(title, head, rows, [_who(report), _how(report)])


def _attempts(report: Report) -> Table:
    """Over pairs that have a good picture at all; how many those are stands beside."""
    rows = []
    for line in report.lines:
        score = line.group.score
        pairs = "" if score.best is None else f"{round(score.best * score.pairs)} of {score.pairs}"
        attempts = "" if score.attempts is None else f"{score.attempts:.2f}"
        rows.append([*_names(line), attempts, pairs, _of_paper(line, lambda paper: paper.attempts)])
    note = "Expected number of pictures drawn to the first that is correct, over the pairs that have one."
    return Table("Attempts to a good picture (Table 2)", ["method", "attempts", "pairs", PAPERS], rows, [note])


def _metrics(report: Report) -> list[Table]:
    if not report.backbones:
        return []
    papers: Mapping[str, Callable[[Published], float]] = {
        "clip-i": lambda paper: paper.clip_i,
        "dino": lambda paper: paper.dino,
        "clip-t": lambda paper: paper.clip_t,
    }
    shown = [name for name in papers if name in report.backbones]
    published = report.by == "method"
    head = [*GROUP_HEADS[report.by], *(name.upper() for name in shown)]
    head += [f"{name.upper()}, {PAPERS}" for name in shown if published]
    rows = []
    for line in report.lines:
        row = [*_names(line), *(_interval(line.metrics.get(name), places=3) for name in shown)]
        rows.append(row + [_of_paper(line, papers[name], places=3) for name in shown if published])
    by = ", ".join(f"{name.upper()} by {report.backbones[name]}" for name in shown)
    note = (
        f"Mean cosines, {by}. CLIP-I is against the style's references, DINO against the subject's, CLIP-T the prompt."
    )
    return [Table("CLIP-I, DINO and CLIP-T (Table A2)" if published else "CLIP-I, DINO and CLIP-T", head, rows, [note])]


def _unclear(report: Report) -> list[Table]:
    """Only where there is something to say."""
    kinds = sorted({kind for line in report.lines for kind in line.group.unclear})
    if not kinds:
        return []
    rows = [
        [*_names(line), *(str(line.group.unclear[kind]) for kind in kinds), str(line.group.score.undecided)]
        for line in report.lines
    ]
    note = "Verdicts that are not clear are no scores; lorarar judge run asks them again."
    return [Table("Unclear verdicts", ["method", *kinds, "pictures undecided"], rows, [note])]


def _who(report: Report) -> str:
    judge = report.judge
    settings = ", ".join(f"{key} {judge.identity[key]}" for key in ("revision", "image mode") if key in judge.identity)
    return f"Judged by {judge.critic} ({settings}) with the prompts {judge.prompts}."


def _how(report: Report) -> str:
    pictures = sum(line.group.score.images for line in report.lines)
    unclear = sum(sum(line.group.unclear.values()) for line in report.lines)
    said = "In brackets: 95 % bootstrap intervals over subject-style pairs, where those differ."
    return f"{said} {pictures} pictures with a verdict, {unclear} verdicts failed, unparsed or not asked."


def _names(line: Line) -> list[str]:
    method, *others = line.group.name
    return [method or "pictures", *others]


def _record(line: Line, report: Report) -> dict[str, Any]:
    score, paper = line.group.score, line.published
    record: dict[str, Any] = dict(zip(GROUP_HEADS[report.by], line.group.name, strict=True))
    figures = {"average": line.group.average, "best": line.group.best, "against": line.against}
    figures |= {name: line.metrics.get(name) for name in report.backbones}
    for name, interval in figures.items():
        if name == "against" and report.against is None:
            continue
        record[name] = interval.value if interval else None
        record[f"{name}_low"] = interval.low if interval else None
        record[f"{name}_high"] = interval.high if interval else None
    record |= {
        "attempts": score.attempts,
        "subject_right": line.group.subject,
        "style_right": line.group.style,
        "images": score.images,
        "pairs": score.pairs,
        "undecided": score.undecided,
        **{kind.replace(" ", "_"): line.group.unclear[kind] for kind in ("failed", "unparsed", "not asked")},
    }
    if report.by == "method":
        record |= {f"paper_{name}": getattr(paper, name, None) for name in Published.__dataclass_fields__}
    return record


def _interval(interval: Interval | None, places: int = 2, *, signed: bool = False) -> str:
    if interval is None:
        return ""
    sign = "+" if signed else ""
    if interval.low == interval.high:  # one pair, or all alike: drawing pairs anew says nothing
        return f"{interval.value:{sign}.{places}f}"
    low, high = f"{interval.low:{sign}.{places}f}", f"{interval.high:{sign}.{places}f}"
    return f"{interval.value:{sign}.{places}f} ({low} to {high})"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _of_paper(line: Line, figure: Callable[[Published], float | None], places: int = 2) -> str:
    value = figure(line.published) if line.published else None
    return "" if value is None else f"{value:.{places}f}"


def csv_rows(report: Report) -> tuple[Sequence[str], list[Sequence[object]]]:
    """Head and rows of the records."""
    rows = records(report)
    head = list(rows[0]) if rows else []
    return head, [["" if row.get(name) is None else row[name] for name in head] for row in rows]
