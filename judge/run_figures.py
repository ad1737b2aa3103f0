"""A run as plain rows: what every critic says of every picture, and every metric's score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from judge.pairwise.full_run import PairRun
    from judge.pairwise.outcomes import CellOutcome
    from judge.pictures import JudgedPicture
    from judge.run_result import CriticRun, FullRun, MetricRun
    from judge.targets import Target
    from judge.verdicts import VerdictStore
    from lorarar.store import Store


@dataclass(frozen=True)
class RunFigure:
    """What one critic or metric says of one picture."""

    image: str  # the picture's file
    collection: str
    method: str
    subject: str
    style: str
    name: str  # correct, subject, style, or a metric; of pairs subject, style or both
    by: str  # the critic, ``majority`` of a jury, or the backbone
    prompts: str  # that the critic was asked with; empty of metrics
    value: float | None  # 1 or 0 of a verdict; None where there is none, and the note says why
    note: str
    against: str = ""  # of pairs, the method beside which the picture is better (1), worse (-1) or tied (0)


def figures_of(run: FullRun | PairRun, store: Store) -> Iterator[RunFigure]:
    """The rows of a run by any protocol."""
    from judge.pairwise.full_run import PairRun

    return pair_run_figures(run, store) if isinstance(run, PairRun) else run_figures(run, store)


def run_figures(run: FullRun, store: Store) -> Iterator[RunFigure]:
    """The rows of a run, critic by critic and metric by metric; of a jury the majority's too, if none failed."""
    from judge.verdicts import VerdictStore

    verdicts = VerdictStore(store)
    critics = [one for one in run.critics or () if one.judge is not None]
    judged = [_judged(one, verdicts) for one in critics]
    for one, pictures in zip(critics, judged, strict=True):
        if one.judge is not None:
            yield from _verdict_rows(pictures, one.judge.critic, one.judge.prompts, one.brand)
    if run.jury and len(judged) == len(run.critics or ()) and not run.faults:
        from judge.jury import MAJORITY, majority_pictures

        yield from _verdict_rows(majority_pictures(judged), MAJORITY, "", "")
    for metric in run.metrics:
        yield from _score_rows(metric, store)


def pair_run_figures(run: PairRun, store: Store) -> Iterator[RunFigure]:
    """The rows of a run about pairs: what every critic says of each picture beside another method's.

    Of a jury the majority's follow, if none failed.
    """
    from judge.jury import MAJORITY
    from judge.pairwise.jury import majority_outcome
    from judge.pairwise.outcomes import outcome_of
    from judge.pairwise.store import read_choices
    from judge.pictures import picture_files

    targets, cells = run.matching.targets, run.matching.cells
    files = dict(zip(targets, picture_files(targets), strict=True))
    with store.reading() as database:
        choices = {judge: read_choices(database, judge) for judge in run.judges.values()}
    outcomes = {judge: [outcome_of(cell, files, of) for cell in cells] for judge, of in choices.items()}
    for judge, own in outcomes.items():
        for cell, outcome in zip(cells, own, strict=True):
            if outcome.is_asked:
                common = replace(_of(cell.one), by=judge.critic, prompts=judge.prompts, against=cell.two.row)
                yield from _cell_rows(common, outcome, "the orders disagree")
    if run.jury and not run.faults:
        for cell, *members in zip(cells, *outcomes.values(), strict=True):
            common = replace(_of(cell.one), by=MAJORITY, against=cell.two.row)
            yield from _cell_rows(common, majority_outcome(members), "no majority")


def _cell_rows(common: RunFigure, outcome: CellOutcome, disagreement: str) -> Iterator[RunFigure]:
    """The rows of what a critic, or a jury, says of a cell; ``disagreement`` says what a tie may come from."""
    from judge.pairwise.outcomes import FACETS

    note = disagreement if any(aspect.disagrees for aspect in outcome.aspects) else ""
    for facet in FACETS:
        value = outcome.value(facet)
        yield replace(common, name=facet, value=value, note="failed or unparsed" if value is None else note)


def _judged(run: CriticRun, verdicts: VerdictStore) -> list[JudgedPicture]:
    from judge.pictures import JudgedTargets

    return [] if run.judge is None else JudgedTargets(run.targets, verdicts).pictures(run.judge)


def _verdict_rows(pictures: Sequence[JudgedPicture], critic: str, prompts: str, brand: str) -> Iterator[RunFigure]:
    for picture in pictures:
        unclear = ", ".join(f"{count} {kind}" for kind, count in picture.unclear.items())
        row = replace(_of(picture.target), by=critic, prompts=prompts, note="; ".join(filter(None, (unclear, brand))))
        answers = {
            "correct": picture.correct,
            "subject": picture.answer("subject"),
            "style": picture.answer("style"),
        }
        for name, answer in answers.items():
            yield replace(row, name=name, value=None if answer is None else float(answer))


def _score_rows(run: MetricRun, store: Store) -> Iterator[RunFigure]:
    from judge.metrics.scores import WITHOUT, ScoreStore

    values = ScoreStore(store).values(run.metric, run.targets, run.instrument)
    for target, value in zip(run.targets, values, strict=True):
        note = run.brand if value is not None else WITHOUT[run.metric.against]
        yield replace(_of(target), name=run.metric.name, by=run.instrument.name, value=value, note=note)


def _of(target: Target) -> RunFigure:
    """A row of a picture that says nothing yet."""
    return RunFigure(
        image=str(target.image),
        collection=target.collection.label,
        method=target.row,
        subject=target.subject,
        style=target.style,
        name="",
        by="",
        prompts="",
        value=None,
        note="",
    )
