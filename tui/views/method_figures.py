"""MARS2 and the metrics of each method, with intervals over pairs, counted as ``lorarar judge report`` counts them.

The numbers are the report's to the digit: of the same pictures, references and style words, by the same judge unless
another is chosen, and by the same backbone of each metric.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from judge.metrics.table import METRICS
from judge.reports.conclusion import CHECK, Conclusion, conclude
from judge.reports.contests import Contest, Entrant, contests_among
from judge.reports.groups import Attempts, Group, make_groups, means_by_group
from judge.trust import Trust
from lorarar.store.queries import Pair
from lorarar.util.statistics.bootstrap import Interval
from tui.snapshot import Answers, PictureKey, Snapshot, key_of

if TYPE_CHECKING:
    from judge.pairwise.figures import PairFigures
    from lorarar.merging.methods.rivals import RowMakings


@dataclass(frozen=True)
class MethodFigures:
    """The figures of one method; None where there is nothing to count."""

    method: str
    pictures: int
    pairs: int
    undecided: int
    average: Interval | None
    best: Interval | None
    attempts: Attempts | None
    subject: float | None
    style: float | None
    metrics: Mapping[str, Interval | None]
    strength: Interval | None = None  # in pairs, in both aspects


def figures(
    snapshot: Snapshot, scores: Mapping[str, Mapping[PictureKey, float]], pairs: PairFigures | None = None
) -> list[MethodFigures]:
    """The figures of every method of which any picture counts, in the snapshot's order.

    Args:
        snapshot: the pictures and their verdicts.
        scores: by metric and picture.
        pairs: of questions about two pictures.
    """
    strengths = pairs.strengths["both"].by_method if pairs else {}
    means = {name: _means(snapshot, name, scores.get(name, {})) for name in METRICS}
    return [_figures(snapshot, group, means, strengths) for group in method_groups(snapshot)]


def conclusion(snapshot: Snapshot, trust: Trust | None, check: str = CHECK) -> Conclusion:
    """What the report's first line says of the same pictures.

    Args:
        snapshot: the pictures and their verdicts.
        trust: what the judge's last check came to.
        check: the command that checks the judge.
    """
    return replace(conclude(method_groups(snapshot), trust=trust), check=check)


def contests(
    snapshot: Snapshot, rows: Mapping[str, RowMakings], scores: Mapping[str, Mapping[PictureKey, float]]
) -> list[Contest]:
    """What the report says of methods that have rivals, of the same pictures.

    Args:
        snapshot: the pictures and their verdicts.
        rows: how the rows of the collection were made.
        scores: by metric and picture.
    """
    counted = [picture for pictures in snapshot.counted_cells.values() for picture in pictures]
    entrants = [Entrant(picture.row, (picture.content, picture.style), picture.prompt) for picture in counted]
    of_metrics = {name: [own.get(key_of(picture)) for picture in counted] for name, own in scores.items() if own}
    return contests_among(rows, entrants, method_groups(snapshot), of_metrics)


def method_groups(snapshot: Snapshot) -> list[Group]:
    """The methods of which any picture counts, in the snapshot's order."""
    verdicts: dict[str, dict[Pair, list[Answers]]] = {method: {} for method in snapshot.methods}
    for (method, *pair), pictures in snapshot.counted_cells.items():
        verdicts[method][pair[0], pair[1]] = [snapshot.verdict(picture) for picture in pictures]
    return make_groups({(method,): pairs for method, pairs in verdicts.items() if pairs})


def _figures(
    snapshot: Snapshot,
    group: Group,
    means: Mapping[str, Mapping[str, Interval]],
    strengths: Mapping[str, Interval],
) -> MethodFigures:
    (method,) = group.name
    cells = [pictures for cell, pictures in snapshot.counted_cells.items() if cell[0] == method]
    return MethodFigures(
        method=method,
        pictures=sum(map(len, cells)),
        pairs=len(cells),
        undecided=group.score.undecided,
        average=group.average,
        best=group.best,
        attempts=group.attempts,
        subject=group.subject,
        style=group.style,
        metrics={name: of_methods.get(method) for name, of_methods in means.items()},
        strength=strengths.get(method),
    )


def _means(snapshot: Snapshot, metric: str, scores: Mapping[PictureKey, float]) -> dict[str, Interval]:
    """A metric's mean by method."""
    rows = (
        ((method,), (content, style), scores[key_of(picture)])
        for (method, content, style), pictures in snapshot.counted_cells.items()
        for picture in pictures
        if key_of(picture) in scores
    )
    means = means_by_group(rows, quadratic=METRICS[metric].quadratic)
    return {method: mean for (method,), mean in means.items()}
