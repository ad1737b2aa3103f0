"""``judge.run``, ``judge.report`` and ``judge.check``: the commands of ``lorarar judge`` as calls from Python.

They take the options of the commands by name, with the same defaults, raise errors of their own (``LorarError``) and
return plain rows, of which ``pandas.DataFrame(rows)`` makes a table. Nothing is printed: what the commands say goes to
the logger ``lorarar``; with ``progress=True`` it is on stderr as theirs is, with bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judge.checks.request import SAMPLE
from judge.choice import PictureChoice
from judge.errors import JudgeError
from judge.judges import critic_names, name_judges
from judge.patience import STOP_AFTER
from lorarar.store.opening import open_for_reading
from lorarar.util.messages import message, spoken
from lorarar.util.rows import Rows
from lorarar.util.shard import Shard

if TYPE_CHECKING:
    from judge.checks.figures import CheckFigure
    from judge.questions import Prompts
    from judge.reports.figures import ReportFigure
    from judge.run_figures import RunFigure
    from judge.runs import AnyPrompts

Place = str | Path


def run(
    *,
    critic: str | Sequence[str] | None = None,
    prompts: AnyPrompts | None = None,
    images: str = "",
    generated: Place | None = None,
    references: Place | None = None,
    metrics: str | Sequence[str] | None = None,
    protocol: str = "singles",
    methods: str | Sequence[str] = (),
    stop_after: int = STOP_AFTER,
    shard: str | None = None,
    workers: str | int | None = None,
    cpus_per_worker: int | None = None,
    db: Place | None = None,
    progress: bool = False,
    **settings: Any,
) -> list[RunFigure]:
    """Score every picture that is not scored yet, as ``lorarar judge run`` does.

    Args:
        critic: who judges; several are a jury, each of whom judges all pictures. By default the pictures' own.
        prompts: ``paper``, ``code``, a TOML file, or ``Prompts``; of pairs ``pairs``, a TOML file or ``PairPrompts``;
            by default the critic's own, else the paper's.
        images: a filter of the database's pictures, such as ``plan=quick,row=lorarar``.
        generated: a folder of pictures, instead of the database's; with ``references``.
        references: the folder of their references.
        metrics: ``mars2`` and metrics by name; by default those of the command.
        protocol: ``singles``, or ``pairwise``: which of two methods' pictures of a cell is better.
        methods: which methods ``pairwise`` compares; by default all.
        stop_after: like failures in a row, after which a critic is given up; 0: never.
        shard: a share such as ``2/8``, into a database of its own; by default all.
        workers: on Ray, which hold the critics: ``auto``, how many, or a cluster's address; by default none.
        cpus_per_worker: processors of each.
        db: the database; by default ``$LORARAR_DB``, else ``./lorarar.db``.
        progress: whether bars and messages are shown on stderr.
        settings: of critics, such as ``device``, ``batch`` or ``preset``, and backbones by kind, such as ``clip``.

    Returns:
        What each critic and metric says of each picture. What has no answer has the value None, and a warning is
        logged; the next run asks again.

    Raises:
        LorarError: something that was asked for is not there or not accepted, or no picture has any verdict or score.
    """
    from judge.run_figures import figures_of
    from judge.runs import run_protocol
    from lorarar.workers.hiring import hired

    pictures, judges = _choice(db, images, generated, references), name_judges({"critic": critic, **settings})
    if shard is not None:
        pictures = replace(pictures, shard=Shard.parse(shard))
    with spoken(progress), hired(workers, cpus_per_worker) as crew:
        result = run_protocol(
            pictures,
            replace(judges, crew=crew),
            protocol=protocol,
            prompts=prompts,
            metrics=metrics,
            methods=methods,
            stop_after=stop_after,
        )
        _warn(result.brands, result.shortfall, empty=result.is_empty)
        with open_for_reading(pictures.results) as store:
            return Rows(figures_of(result, store))


def report(
    *,
    by: str = "method",
    against: str | None = None,
    critic: str | Sequence[str] | None = None,
    prompts: str | None = None,
    judge: int | Sequence[int] | None = None,
    confidence: bool = False,
    images: str = "",
    generated: Place | None = None,
    references: Place | None = None,
    db: Place | None = None,
    progress: bool = False,
) -> list[ReportFigure]:
    """The figures of ``lorarar judge report``, each with its interval.

    Args:
        by: ``method``, ``subject``, ``style`` or ``cell``.
        against: the method that all are compared with, pair by pair.
        critic: as it is recorded; several are a jury, whose majority reports, with each one's figures.
        prompts: only verdicts with these prompts: a name or a version.
        judge: by its number in the database; several are a jury.
        confidence: whether methods are compared in pairs by how sure the judge is of each picture, where nobody was
            asked about two.
        images: as ``run`` has it.
        generated: likewise.
        references: likewise.
        db: likewise.
        progress: likewise.

    Raises:
        LorarError: there is no such judge, method, picture or database.
    """
    from judge.reports.figures import report_figures
    from judge.reports.request import ReportRequest, grouping, read_report

    with spoken(progress):
        request = ReportRequest(
            pictures=_choice(db, images, generated, references),
            by=grouping(by),
            against=against,
            critics=critic_names(critic or ()),
            prompts=prompts,
            judges=(judge,) if isinstance(judge, int) else tuple(judge or ()),
            confidence=confidence,
        )
        return Rows(report_figures(read_report(request)))


def check(
    *,
    critic: str | Sequence[str] | None = None,
    prompts: str | Prompts | None = None,
    images: str = "",
    generated: Place | None = None,
    references: Place | None = None,
    sample: int = SAMPLE,
    seed: int = 0,
    against: str | None = None,
    ratings: Place | None = None,
    stop_after: int = STOP_AFTER,
    db: Place | None = None,
    progress: bool = False,
    **settings: Any,
) -> list[CheckFigure]:
    """Say how far a judge can be trusted, as ``lorarar judge check`` does; what it comes to is kept for reports.

    Args:
        critic: who is checked; several are checked one after the other.
        prompts: as ``run`` has it.
        images: likewise.
        generated: likewise.
        references: likewise.
        sample: how many pictures, even over methods and cells; 0: those of ``ratings`` alone.
        seed: the same seed takes the same pictures.
        against: another critic to compare with.
        ratings: a CSV of people's answers on single pictures (docs/judge.md).
        stop_after: as ``run`` has it.
        db: likewise.
        progress: likewise.
        settings: of critics, such as ``device``, ``batch`` or ``preset``.

    Raises:
        LorarError: something that was asked for is not there or not accepted, or no question has an answer.
    """
    from judge.checks.figures import check_figures
    from judge.checks.rating_rows import read_rows
    from judge.checks.request import CheckRequest, check_judges
    from judge.questions import Prompts, find_prompts
    from judge.runs import find_wording

    with spoken(progress):
        request = CheckRequest(
            pictures=_choice(db, images, generated, references),
            judges=name_judges({"critic": critic, **settings}),
            prompts=find_wording(prompts, Prompts, find_prompts),
            sample=sample,
            seed=seed,
            against=against,
            stop_after=stop_after,
            ratings=None if ratings is None else read_rows(Path(ratings)),
        )
        checks = check_judges(request)
        _warn([], checks.shortfall, empty=not checks.checks)
        return Rows(figure for one in checks.checks for figure in check_figures(one))


def _warn(brands: Sequence[str], shortfall: str, *, empty: bool) -> None:
    """Warn of figures without worth and of what has no answer.

    Raises:
        JudgeError: nothing has any answer.
    """
    for brand in brands:
        message(brand, "yellow")
    if empty:
        raise JudgeError(shortfall)
    if shortfall:
        message(shortfall, "yellow")


def _choice(db: Place | None, images: str, generated: Place | None, references: Place | None) -> PictureChoice:
    places = (None if place is None else Path(place) for place in (db, generated, references))
    database, pictures, beside = places
    return PictureChoice(database, images, pictures, beside)
