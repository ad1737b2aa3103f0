"""How well answers and scores tell yes from no: accuracy, and the area under the ROC curve."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from judge.checks.statistics.calibration import LabelledAnswer
from lorarar.util.statistics.agreement import auroc
from lorarar.util.statistics.bootstrap import Interval, cluster_bootstrap
from lorarar.util.statistics.crossed import Pair, over_pairs


@dataclass(frozen=True)
class Auroc(Interval):
    """Chance that a question whose answer is yes scores above one whose answer is no, with a 95 % interval.

    The interval resamples clusters, as a rule cells or pictures; where the two kinds do not overlap at all it is as
    narrow as the value.
    """

    yes: int
    no: int


@dataclass(frozen=True)
class Nearness(Interval):
    """Chance that of two pictures of a cell, the one judged correct is the nearer one; one half is chance."""

    cells: int  # with pictures of both verdicts


def logit_auroc(answers: Sequence[LabelledAnswer]) -> Auroc | None:
    """The AUROC of the answers' logits."""
    truths, clusters = [answer.truth for answer in answers], [answer.cluster for answer in answers]
    return auroc_interval([answer.logit for answer in answers], truths, clusters)


def auroc_interval(
    scores: Sequence[float | None], truths: Sequence[bool], clusters: Sequence[Hashable]
) -> Auroc | None:
    """The AUROC of the questions that have a score; None unless both answers are among them. Ties count half.

    Args:
        scores: one for each question, for example its logit; None where there is none.
        truths: whether the correct answer is yes.
        clusters: what each question belongs to, as a rule its picture or its cell.
    """
    scored = [row for row in zip(scores, truths, clusters, strict=True) if row[0] is not None]
    values, yes = np.array([score for score, _, _ in scored], float), np.array([truth for _, truth, _ in scored], bool)
    interval = cluster_bootstrap(lambda rows: auroc(values[rows], yes[rows]), [cluster for *_, cluster in scored])
    if interval is None:
        return None
    positives = int(yes.sum())
    return Auroc(value=interval.value, low=interval.low, high=interval.high, yes=positives, no=len(yes) - positives)


def nearness(cells: Mapping[Pair, Sequence[tuple[bool, float]]]) -> Nearness | None:
    """Whether pictures that are judged correct are nearer to the true picture than others of the same cell.

    Distances of one cell are compared with each other alone: how far a picture is from the true one depends on the
    style far more than on the merge.

    Args:
        cells: the pictures of each cell, as (judged correct, distance from the true picture).

    Returns:
        The mean over cells of the AUROC of nearness, with an interval when subjects and styles are drawn anew. A cell
        with a single verdict says nothing; None where no cell has both.
    """
    chances: dict[Pair, float] = {}
    for pair, pictures in cells.items():
        correct = np.array([verdict for verdict, _ in pictures], bool)
        distances = np.array([distance for _, distance in pictures])
        if (chance := auroc(-distances, correct)) is not None:
            chances[pair] = chance
    if not chances:
        return None
    interval = over_pairs(chances)
    return Nearness(value=interval.value, low=interval.low, high=interval.high, cells=len(chances))
