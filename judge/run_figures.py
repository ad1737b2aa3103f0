"""A run as plain rows: what every critic says of every picture, and every metric's score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from judge.pairwise.full_run import PairRun
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
    """The rows of a run about pairs: what every critic says of each picture beside another method's."""
    from judge.pairwise.outcomes import FACETS, outcomes_of
    from judge.pairwise.store import read_choices
    from judge.pictures import picture_files

    targets = run.matching.targets
    files = dict(zip(targets, picture_files(targets), strict=True))
    for judge in run.judges.values():
        with store.reading() as database:
            choices = read_choices(database, judge)
        for cell in run.matching.cells:
            row = replace(_of(cell.one), by=judge.critic, prompts=judge.prompts, against=cell.two.row)
            for outcome in outcomes_of([cell], files, choices):
                note = "the orders disagree" if any(aspect.disagrees for aspect in outcome.aspects) else ""
                for facet in FACETS:
                    value = outcome.value(facet)
                    unclear = "failed or unparsed" if value is None else note
                    yield replace(row, name=facet, value=value, note=unclear)


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
