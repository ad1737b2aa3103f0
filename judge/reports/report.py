"""A report: the figures of every group by one judge, with the metrics beside MARS2, or as many of these as there are.

Invariant: all figures of a report are of the same pictures, which are of one collection, one judge and one backbone a
metric, and it says which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from judge.errors import JudgeError, UnjudgedError
from judge.metrics.scores import ScoreStore
from judge.metrics.stored_scores import BackboneScores, best_scores
from judge.metrics.table import MARS2, METRICS
from judge.pairwise.tables import lead
from judge.pictures import JudgedPicture, JudgedTargets, brand_of, judge_of_most
from judge.published import PUBLISHED, Published
from judge.reports.comparison import compare_with
from judge.reports.conclusion import Conclusion, conclude
from judge.reports.contests import Contest, Entrant, contests_among, row_makings
from judge.reports.groups import By, Group, Name, group_name, groups, means_by_group
from judge.targets import Target, report_collection
from judge.trust import Trust, read_trust
from judge.verdicts import Judge, JudgeFilter
from lorarar.store.command_line import command_line
from lorarar.store.queries import Collection
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.crossed import Difference
from lorarar.util.suggestion import did_you_mean
from lorarar.util.text import one_line

if TYPE_CHECKING:
    from judge.pairwise.figures import PairFigures
    from judge.reports.jury import Jury


@dataclass(frozen=True)
class ReportLine:
    """The figures of one group, the metrics and the comparison among them."""

    group: Group
    metrics: Mapping[str, Interval]  # by name; those that were measured
    against: Difference | None  # share of correct pictures beyond that of the method compared with, pair by pair

    @property
    def method(self) -> str:
        """The method, or the name of the plan's row."""
        return self.group.name[0]

    @property
    def names(self) -> list[str]:
        """What the group is of, as tables have it: the method first, whatever it is called where it has no name."""
        return [self.method or "pictures", *self.group.name[1:]]

    @property
    def published(self) -> Published | None:
        """The paper's figures of the method, where the group is one of its methods."""
        return PUBLISHED.get(self.method) if len(self.group.name) == 1 else None


@dataclass(frozen=True)
class Judgement:
    """What a judge says of some pictures."""

    judge: Judge
    pictures: Sequence[JudgedPicture]  # what is said of each, without probabilities
    reasons: Mapping[str, int]  # why questions have no clear answer, and how often
    low_mass: int  # clear verdicts that words gave, since Yes and No together weighed too little
    brand: str  # why its figures are without worth; empty where they are not
    trust: Trust | None  # what its last check came to; None where none is on record


@dataclass(frozen=True)
class JudgeReport:
    """The figures of some pictures."""

    judge: Judge | None  # None where no picture has a verdict: the figures are of metrics, or of pairs alone
    collection: Collection
    by: By
    lines: Sequence[ReportLine]
    backbones: Mapping[str, str]  # of each metric that was measured: name and revision
    against: str | None
    pictures: Sequence[JudgedPicture]  # what is said of each, without probabilities
    reasons: Mapping[str, int]  # why questions to the judge have no clear answer, and how often
    low_mass: int  # clear verdicts that words gave, since Yes and No together weighed too little
    brands: Mapping[str, str]  # of MARS2 and metrics by name: why their figures are without worth, where they are
    conclusion: Conclusion  # about the methods, whatever the groups are
    contests: Sequence[Contest] = ()  # of the methods that have rivals to beat
    jury: Jury | None = None  # whose majority the judge is
    pairs: PairFigures | None = None  # of questions about two pictures; None where none were asked

    @property
    def sentences(self) -> list[str]:
        """What came out, of pairs too, and how far the judge, or each of a jury, can be trusted."""
        outcome, trust = self.conclusion.lines
        pairs = [one_line(text) for text in lead(self.pairs)] if self.pairs else []
        if self.judge is None:
            return [*pairs, outcome]
        contests = [contest.line for contest in self.contests]
        return [outcome, *contests, *pairs, *(self.jury.lines if self.jury else [trust])]

    @property
    def cautions(self) -> dict[str, str]:
        """What stands with the figures of some metrics, by name."""
        return {name: METRICS[name].caution for name in self.backbones if METRICS[name].caution}

    @property
    def has_published(self) -> bool:
        """Whether there are any figures beside which the paper's can stand."""
        return self.judge is not None or any(METRICS[name].published for name in self.backbones)

    @property
    def lead(self) -> list[str]:
        """What a report begins with: its sentences, and the brand of MARS2 if it bears one."""
        return [*self.sentences, *([self.brands[MARS2]] if MARS2 in self.brands else [])]


def make_report(
    targets: JudgedTargets, judge: Judge, scores: ScoreStore, by: By, against: str | None = None
) -> JudgeReport:
    """The figures by group, by one judge.

    Raises:
        JudgeError: there is no method ``against``.
        FilterError: the pictures are of several collections, which no figure mixes.
    """
    return report_of(targets, judgement_of(targets, judge), scores, by, against)


def judgement_of(targets: JudgedTargets, judge: Judge) -> Judgement:
    """What one judge says of some pictures."""
    pictures = targets.pictures(judge, chances=False)
    images = {files.image for files in targets.files}
    with targets.verdicts.store.reading() as database:
        trust = read_trust(database, judge)
    return Judgement(
        judge=judge,
        pictures=pictures,
        reasons=targets.verdicts.reasons([judge], images),
        low_mass=targets.verdicts.count_low_mass(judge, images),
        brand=brand_of(judge, pictures),
        trust=trust,
    )


def unjudged_report(targets: JudgedTargets, scores: ScoreStore, by: By, why: str) -> JudgeReport:
    """The metrics by group of pictures without a verdict; ``why`` says why there is none."""
    nothing = Judgement(Judge(0, "", ""), targets.pictures(None), reasons={}, low_mass=0, brand="", trust=None)
    return replace(
        report_of(targets, nothing, scores, by, None), judge=None, conclusion=Conclusion(why, (), None), contests=()
    )


def report_of(
    targets: JudgedTargets, judgement: Judgement, scores: ScoreStore, by: By, against: str | None
) -> JudgeReport:
    """The figures by group of what is said of the pictures; raises as ``make_report``."""
    collection = report_collection(targets.targets)
    pictures = judgement.pictures
    methods = list(dict.fromkeys(picture.target.row for picture in pictures))
    if against is not None and against not in methods:
        near = did_you_mean(against, methods)
        raise JudgeError(f"no method {against} was judged; there are {', '.join(methods)}{near}")
    by_method = groups(pictures, "method")
    with scores.store.reading() as database:
        scored = {name: best_scores(database, metric, targets.targets) for name, metric in METRICS.items()}
        rows = row_makings(database, collection)
    metrics = {
        name: by_group(_values(targets.targets, scores), by, quadratic=METRICS[name].quadratic)
        for name, scores in scored.items()
    }
    grouped = by_method if by == "method" else groups(pictures, by)
    brands = {MARS2: judgement.brand, **{name: scores.brand for name, scores in scored.items()}}
    return JudgeReport(
        judge=judgement.judge,
        collection=collection,
        by=by,
        lines=lines_of(grouped, metrics, against),
        backbones={name: scores.by for name, scores in scored.items() if scores.by},
        against=against,
        pictures=pictures,
        reasons=judgement.reasons,
        low_mass=judgement.low_mass,
        brands={name: words for name, words in brands.items() if words},
        conclusion=conclude(by_method, against, judgement.trust),
        contests=contests_among(
            rows,
            [Entrant(target.row, (target.subject, target.style), target.prompt) for target in targets.targets],
            by_method,
            {name: scores.values for name, scores in scored.items() if scores.by},
        ),
    )


def lines_of(
    grouped: Sequence[Group], metrics: Mapping[str, Mapping[Name, Interval]], against: str | None
) -> list[ReportLine]:
    """The lines of groups, with metrics by group and how far each exceeds the method compared with."""
    differences = _differences(grouped, against)
    return [
        ReportLine(
            group,
            {name: means[group.name] for name, means in metrics.items() if group.name in means},
            differences.get(group.name),
        )
        for group in grouped
    ]


def choose_judge(
    targets: JudgedTargets, critic: str | None = None, prompts: str | None = None, number: int | None = None
) -> Judge:
    """The judge who answered most about some pictures, and of those the latest; one who knows them before others.

    Args:
        targets: the pictures.
        critic: only judges with a critic of this name.
        prompts: only judges with prompts of this name or version.
        number: only the judge with this number in the database.

    Raises:
        UnjudgedError: there is none; the message lists all.
    """
    judges = targets.verdicts.judges()
    if not judges:
        raise UnjudgedError(
            f"{targets.verdicts.store.path} has no verdicts; judge first: {command_line('lorarar judge run')}"
        )
    wanted = JudgeFilter(() if critic is None else (critic,), prompts, () if number is None else (number,))
    fitting = [judge for judge in judges if wanted.means(judge)]
    if not fitting:
        others = ", ".join(f"{judge.id}: {judge.critic} with {judge.prompts}" for judge in judges)
        names = {critic: [judge.critic for judge in judges], prompts: [judge.prompts for judge in judges]}
        near = "".join(did_you_mean(name, there) for name, there in names.items() if name and name not in there)
        raise UnjudgedError(f"there is no such judge; there are {others}{near}")
    chosen = judge_of_most(fitting, targets.clear, (target.base for target in targets.targets))
    if chosen is None:
        raise UnjudgedError(why_without_verdicts(targets, fitting))
    return chosen


def choose_judges(
    targets: JudgedTargets, critics: Sequence[str] = (), prompts: str | None = None, numbers: Sequence[int] = ()
) -> list[Judge]:
    """The judge of each of these critics and numbers, each once, as ``choose_judge`` chooses it; without any, one."""
    chosen = [
        choose_judge(targets, critic, prompts, number) for critic in critics or (None,) for number in numbers or (None,)
    ]
    return list(dict.fromkeys(chosen))


def why_without_verdicts(targets: JudgedTargets, judges: Sequence[Judge]) -> str:
    """Why no question about some pictures has a clear verdict by any of some judges."""
    names = ", ".join(f"{judge.id}: {judge.critic} with {judge.prompts}" for judge in judges)
    if reasons := targets.verdicts.reasons(judges, {files.image for files in targets.files}):
        count, mostly = sum(reasons.values()), max(reasons, key=lambda reason: reasons[reason])
        return f"all {count} questions about these pictures failed (by {names}), mostly: {mostly}"
    several = f"these {len(targets.targets)} pictures have" if len(targets.targets) > 1 else "this picture has"
    return f"{several} not been judged yet by {names}; judge with: {command_line('lorarar judge run')}"


def _values(targets: Sequence[Target], scores: BackboneScores) -> dict[Target, float]:
    """The scores of the targets that have any."""
    return {target: value for target, value in zip(targets, scores.values, strict=True) if value is not None}


def by_group(values: Mapping[Target, float], by: By, *, quadratic: bool = False) -> dict[tuple[str, ...], Interval]:
    """A metric's mean in each group that has any score, every pair weighing the same."""
    scores = ((group_name(target, by), (target.subject, target.style), value) for target, value in values.items())
    return means_by_group(scores, quadratic=quadratic)


def _differences(grouped: Sequence[Group], against: str | None) -> dict[Name, Difference | None]:
    """By how much each group exceeds the same one of the method compared with; empty without such a method."""
    comparisons = compare_with(grouped, against) if against is not None else []
    return {comparison.group.name: comparison.difference for comparison in comparisons}
