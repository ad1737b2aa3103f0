"""Each member of a jury beside its majority, as a table and as records for machines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from judge.jury import MAJORITY
from judge.reports.groups import GROUP_HEADS
from judge.reports.jury import Jury
from judge.reports.report import JudgeReport, ReportLine
from judge.verdicts import judge_record
from lorarar.util.formatting import interval, number
from lorarar.util.tables import Table

TIES = "A question that half of an even jury answers with yes is undecided: no answer, as one that is missing."


def jury_tables(report: JudgeReport) -> list[Table]:
    """A table of all members, group by group; none where one judge reports."""
    jury = report.jury
    if jury is None:
        return []
    sides = [(MAJORITY, report.lines), *((member.name, member.lines) for member in jury.members)]
    every = chain.from_iterable(zip(*(_rows(name, lines) for name, lines in sides), strict=True))
    head = [*GROUP_HEADS[report.by], "judge", "average case", "best case", "subject right", "style right", "pictures"]
    notes = [*_member_notes(jury), *jury.agreement.notes, TIES]
    return [Table("MARS2 by each of the jury", head, list(every), notes, names=len(GROUP_HEADS[report.by]) + 1)]


def jury_record(jury: Jury, groups: Sequence[Sequence[dict[str, Any]]]) -> dict[str, Any]:
    """A jury as JSON has it; ``groups`` are each member's, as flat records."""
    members = [
        {
            "name": member.name,
            "judge": judge_record(member.judgement.judge),
            "answered": member.answered,
            "brand": member.judgement.brand,
            "trust": member.judgement.trust.record() if member.judgement.trust else None,
            "groups": own,
        }
        for member, own in zip(jury.members, groups, strict=True)
    ]
    return {"members": members, **jury.agreement.record()}


def _rows(name: str, lines: Sequence[ReportLine]) -> list[list[str]]:
    """A side's rows, one a group."""
    return [
        [
            *line.names,
            name,
            interval(line.group.average),
            interval(line.group.best),
            number(line.group.subject),
            number(line.group.style),
            str(line.group.score.images),
        ]
        for line in lines
    ]


def _member_notes(jury: Jury) -> list[str]:
    """With which prompts each member was asked, and how much it answered."""
    questions = jury.agreement.questions
    return [
        f"{member.name}: prompts {member.judgement.judge.prompts}, {member.answered} of {questions} questions answered."
        for member in jury.members
    ]
