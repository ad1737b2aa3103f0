"""The report of a jury: the majority's figures as those of a judge, each member's beside them, and their agreement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from judge.jury import JuryAgreement, majority_judge, majority_pictures, member_names
from judge.jury_agreement import agreement_on_pictures
from judge.reports.groups import By, groups
from judge.reports.report import Judgement, JudgeReport, ReportLine, judgement_of, lines_of, report_of
from judge.verdicts import Judge
from lorarar.util.formatting import in_words
from lorarar.util.text import one_line

if TYPE_CHECKING:
    from judge.metrics.scores import ScoreStore
    from judge.pictures import JudgedTargets


@dataclass(frozen=True)
class JuryMember:
    """A member's own figures."""

    name: str  # the critic's, with the judge's number where two members have one name
    judgement: Judgement
    lines: Sequence[ReportLine]  # without metrics, which no critic gives

    @property
    def answered(self) -> int:
        """How many questions it has a clear verdict on."""
        verdicts = (verdict for one in self.judgement.pictures for verdict in (*one.subject, *one.style))
        return sum(verdict.answer is not None for verdict in verdicts)


@dataclass(frozen=True)
class Jury:
    """Who is on a jury, and how far they agree."""

    members: Sequence[JuryMember]
    agreement: JuryAgreement

    @property
    def lines(self) -> list[str]:
        """How far they agree, then how far each can be trusted."""
        trust = [(member.name, member.judgement.trust) for member in self.members]
        checked = [f"{name}: {own.sentence}." for name, own in trust if own]
        unchecked = in_words([name for name, own in trust if not own])
        missing = [f"Not checked, how far they can be trusted: {unchecked}."] if unchecked else []
        return [one_line(line) for line in (self.agreement.sentence("tied and undecided"), *checked, *missing)]


def make_jury_report(
    targets: JudgedTargets, judges: Sequence[Judge], scores: ScoreStore, by: By, against: str | None = None
) -> JudgeReport:
    """The figures by group, by the majority of several judges, with each one's.

    Raises:
        JudgeError: there is no method ``against``.
        FilterError: the pictures are of several collections, which no figure mixes.
    """
    names = member_names(judges)
    judgements = [judgement_of(targets, judge) for judge in judges]
    report = report_of(targets, _majority(judgements), scores, by, against)
    members = [
        JuryMember(name, judgement, lines_of(groups(judgement.pictures, by), {}, against))
        for name, judgement in zip(names, judgements, strict=True)
    ]
    agreement = agreement_on_pictures(names, [judgement.pictures for judgement in judgements])
    return replace(report, jury=Jury(members, agreement))


def _majority(judgements: Sequence[Judgement]) -> Judgement:
    """What most of them say, as if it were a judge's."""
    return Judgement(
        judge=majority_judge([one.judge for one in judgements]),
        pictures=majority_pictures([one.pictures for one in judgements]),
        reasons=sum((Counter(one.reasons) for one in judgements), Counter()),
        low_mass=sum(one.low_mass for one in judgements),
        brand=" ".join(dict.fromkeys(one.brand for one in judgements if one.brand)),
        trust=None,
    )
