"""A report on what was judged: what it is asked for, and how it is made from a database that is read alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast, get_args

from judge.choice import PictureChoice
from judge.errors import JudgeError, UnjudgedError
from judge.jury import jury_flags
from judge.pairwise.confidence import figures_by_confidence
from judge.pairwise.jury_reading import read_jury
from judge.pairwise.store import read_pair_judges
from judge.reports.groups import By
from judge.reports.report import JudgeReport, choose_judges, make_report, unjudged_report
from judge.verdicts import JudgeFilter
from lorarar.util.bulk import uncollected
from lorarar.util.formatting import in_words
from lorarar.util.messages import message
from lorarar.util.suggestion import did_you_mean

if TYPE_CHECKING:
    from judge.pairwise.figures import PairFigures
    from judge.pictures import JudgedTargets
    from judge.verdicts import Judge


@dataclass(frozen=True)
class ReportRequest:
    """Whose figures are wanted, of which pictures."""

    pictures: PictureChoice
    by: By = "method"
    against: str | None = None  # the method that all are compared with
    critics: tuple[str, ...] = ()  # as they are recorded; several are a jury
    prompts: str | None = None  # a name or a version; None: whichever answered most
    judges: tuple[int, ...] = ()  # by their numbers in the database; several are a jury
    confidence: bool = False  # whether pictures are compared by how sure the judge is, where nothing compared them


def read_report(request: ReportRequest) -> JudgeReport:
    """The report of a judge, or of a jury; where no picture has a verdict, of the pairs or metrics that there are.

    Raises:
        JudgeError: there is nothing to report on, no such judge, no method ``against``, or nothing to group; or
            ``confidence`` is asked of a judge who gives no probabilities.
        StoreError: the database does not exist, or cannot be opened.
        TargetError, FilterError: no pictures are there, or they are of several collections.
    """
    from judge.metrics.scores import ScoreStore
    from judge.pictures import JudgedTargets
    from judge.reports.jury import make_jury_report
    from judge.verdicts import VerdictStore

    with uncollected(), request.pictures.open_to_report() as (store, pictures):
        targets, scores = JudgedTargets(pictures, VerdictStore(store)), ScoreStore(store)
        is_named = bool(request.critics or request.judges or request.prompts)
        try:
            chosen = choose_judges(targets, request.critics, request.prompts, request.judges)
        except UnjudgedError as error:
            pairs = _pairs(targets, request, request.prompts)
            report = replace(unjudged_report(targets, scores, request.by, _why(targets, error)), pairs=pairs)
            if pairs is None and (is_named or request.confidence or not report.backbones):
                raise
            _check_answers(request, report)
            return report
        pairs = _pairs(targets, request, None)  # whose prompts are others
        if request.confidence and (pairs is None or pairs.is_empty):
            pairs = figures_by_confidence(targets, chosen, request.against)
        if not (request.critics or request.judges):
            tell_of_others(targets, chosen[0])
        if len(chosen) > 1:
            return replace(make_jury_report(targets, chosen, scores, request.by, request.against), pairs=pairs)
        return replace(make_report(targets, chosen[0], scores, request.by, request.against), pairs=pairs)


def _pairs(targets: JudgedTargets, request: ReportRequest, prompts: str | None) -> PairFigures | None:
    """The figures of pairs of some pictures; None where no such judge was asked about any."""
    wanted = JudgeFilter(request.critics, prompts, request.judges)
    with targets.verdicts.store.reading() as database:
        if not any(map(wanted.means, read_pair_judges(database))):
            return None
        files = dict(zip(targets.targets, targets.files, strict=True))
        return read_jury(database, files, wanted, request.against)


def _why(targets: JudgedTargets, error: UnjudgedError) -> str:
    """Why there are no verdicts, without the place of the database: pages are shared."""
    why = str(error) if targets.verdicts.judges() else "nothing was judged by itself; lorarar judge run does"
    return f"MARS2 has no figures: {why}"


def _check_answers(request: ReportRequest, report: JudgeReport) -> None:
    """Refuse what is asked of verdicts on single pictures where there are none.

    Raises:
        JudgeError: a method to compare with was not compared in pairs, there is nothing to group, or a critic who is
            named said nothing.
    """
    compared = report.pairs.methods if report.pairs else ()
    if request.against is not None and request.against not in compared:
        raise JudgeError(
            f"--against {request.against}: no picture has a verdict, and in pairs "
            f"{in_words(list(compared)) or 'no methods'} were compared"
        )
    if request.by != "method" and not report.backbones:
        raise JudgeError(
            f"--by {request.by} is of verdicts and metrics, of which there are none; of pairs accepted is --by method"
        )
    if report.pairs is not None:
        judges = [own.judge for own in report.pairs.jury.members] if report.pairs.jury else [report.pairs.judge]
        wanted = JudgeFilter(request.critics, request.prompts, request.judges).each
        lacking = [one for one in wanted if not any(one.means(judge) for judge in judges)]
        if lacking:
            names = in_words([str(name) for one in lacking for name in (*one.critics, *one.numbers)])
            raise JudgeError(f"{names}: no verdicts on these pictures, and no choices between two of them")


def tell_of_others(targets: JudgedTargets, judge: Judge) -> None:
    """Say by which judge pictures are taken and how a jury is, where other critics judged them too."""
    judges = [one for one in targets.verdicts.judges() if targets.clear.get((one.id, one.prompts))]
    others = [one for one in judges if one.critic != judge.critic]
    if others:
        names = in_words(list(dict.fromkeys(one.critic for one in others)))
        flags = jury_flags([judge, *others])
        message(f"reported by {judge.critic}; {names} judged these pictures too; all as a jury: {flags}")


def grouping(by: str) -> By:
    """A way to group, by its name.

    Raises:
        JudgeError: there is none.
    """
    if by not in get_args(By):
        near = did_you_mean(by, get_args(By))
        raise JudgeError(f"--by is {by[:40]!r}; accepted are {', '.join(get_args(By))}{near}")
    return cast(By, by)
