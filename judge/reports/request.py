"""A report on what was judged: what it is asked for, and how it is made from a database that is read alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from shlex import quote
from typing import TYPE_CHECKING, cast, get_args

from judge.choice import PictureChoice
from judge.errors import JudgeError
from judge.pairwise.reading import read_figures
from judge.reports.groups import By
from judge.reports.report import JudgeReport, choose_judges, make_report
from judge.verdicts import JudgeFilter
from lorarar.util.formatting import in_words
from lorarar.util.messages import message

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


def read_report(request: ReportRequest) -> JudgeReport:
    """The report of a judge, or of a jury.

    Raises:
        JudgeError: there is no such judge, or no method ``against``.
        StoreError: the database does not exist, or cannot be opened.
        TargetError, FilterError: no pictures are there, or they are of several collections.
    """
    from judge.metrics.scores import ScoreStore
    from judge.pictures import JudgedTargets
    from judge.reports.jury import make_jury_report
    from judge.verdicts import VerdictStore

    with request.pictures.open_to_report() as (store, pictures):
        targets = JudgedTargets(pictures, VerdictStore(store))
        chosen = choose_judges(targets, request.critics, request.prompts, request.judges)
        scores, pairs = ScoreStore(store), _pairs(targets, JudgeFilter(request.critics, numbers=request.judges))
        if not (request.critics or request.judges):
            _tell_of_others(targets, chosen[0])
        if len(chosen) > 1:
            return replace(make_jury_report(targets, chosen, scores, request.by, request.against), pairs=pairs)
        return replace(make_report(targets, chosen[0], scores, request.by, request.against), pairs=pairs)


def read_pairs(request: ReportRequest) -> tuple[PairFigures | None, str]:
    """The figures of pairs alone, for pictures without verdicts on single ones, and whose pictures they are of.

    Raises:
        StoreError, TargetError, FilterError: as ``read_report``.
    """
    from judge.pictures import JudgedTargets
    from judge.verdicts import VerdictStore

    with request.pictures.open_to_report() as (store, pictures):
        targets = JudgedTargets(pictures, VerdictStore(store))
        wanted = JudgeFilter(request.critics, request.prompts, request.judges)
        return _pairs(targets, wanted), pictures[0].collection.label


def _pairs(targets: JudgedTargets, wanted: JudgeFilter) -> PairFigures | None:
    """The figures of pairs of some pictures; None where no such judge was asked about any."""
    with targets.verdicts.store.reading() as database:
        return read_figures(database, dict(zip(targets.targets, targets.files, strict=True)), wanted)


def _tell_of_others(targets: JudgedTargets, judge: Judge) -> None:
    """Say how a jury reports, where other critics judged the pictures too."""
    clear = targets.count_clear()
    judges = [one for one in targets.verdicts.judges() if clear.get((one.id, one.prompts))]
    others = dict.fromkeys(one.critic for one in judges if one.critic != judge.critic)
    if others:
        flags = " ".join(f"--critic {quote(name)}" for name in (judge.critic, *others))
        message(
            f"reported by {judge.critic}; {in_words(list(others))} judged these pictures too; all as a jury: {flags}"
        )


def grouping(by: str) -> By:
    """A way to group, by its name.

    Raises:
        JudgeError: there is none.
    """
    if by not in get_args(By):
        raise JudgeError(f"--by is {by[:40]!r}; accepted are {', '.join(get_args(By))}")
    return cast(By, by)
