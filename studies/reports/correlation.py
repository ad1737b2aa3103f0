"""The section "correlation": people against MARS2 and the other metrics, with the points that plots show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, product

import numpy as np

from judge.metrics import MARS2
from lorarar.store import Store
from lorarar.util.formatting import count
from lorarar.util.statistics.correlation import pearson, spearman
from lorarar.util.statistics.undefined import UndefinedError
from studies.figures import Figure, Points, metric_title, titled
from studies.reports.figure_builders import figure_of, measured_figure, ratings_of, undefined, value_for
from studies.reports.metrics import StudyAspect, StudyMetric, metrics
from studies.reports.standing_votes import StandingVote
from studies.statistics import coefficients
from studies.statistics.coefficients import Coefficient
from studies.statistics.correlation import Correlated, corrected, correlate, difference
from studies.statistics.ratings import Floats, Ratings
from studies.statistics.reliability import Reliability, reliability
from studies.store import Study

SECTION = "correlation"
ASPECTS: tuple[StudyAspect, ...] = ("both", "subject", "style")
BEST = "every picture of a best study was accepted by MARS2, so it cannot vary; a study of random pictures tells"
OF_MAJORITY = " (majority)"  # after the name of a coefficient that takes people's majority for an answer
CORRECTED = "r with infinitely many raters"
NO_METRICS = "no picture of this study has verdicts or scores; make them with: lorarar judge run"


@dataclass(frozen=True)
class ScoredItems:
    """One metric's scores of the items that people answered."""

    key: str  # joins the metric's figures with its points
    title: str  # as figures are named after it
    metric: StudyMetric
    scores: Floats  # (items,), NaN where the metric has none

    @property
    def oriented(self) -> Floats:
        """The scores, negated where lower ones are better: so agreement with people is positive with every metric."""
        return self.scores if self.metric.higher_is_better else -self.scores


def correlations(store: Store, study: Study, votes: Sequence[StandingVote]) -> tuple[list[Figure], list[Points]]:
    """People against every metric that scores the pictures, and MARS2 by each judge against each of the others."""
    aspects: tuple[StudyAspect, ...] = ("both",) if study.kind == "ab" else ASPECTS
    available = metrics(store, study, aspects)
    if not available:
        return [undefined(SECTION, "", "people and metrics", NO_METRICS)], []
    items = list(dict.fromkeys(vote.item for vote in votes))
    scored = [_scored(study, items, metric, number) for number, metric in enumerate(available, start=1)]
    figures: list[Figure] = []
    points: list[Points] = []
    for aspect in aspects:
        ratings = ratings_of(study, votes, value_for(study, aspect))
        of_raters = _reliability(ratings)
        of_aspect = [metric_items for metric_items in scored if metric_items.metric.aspect == aspect]
        for metric_items in of_aspect:
            figures += _coefficient_figures(study, ratings, of_raters, metric_items)
            points.append(_points(study, ratings, items, metric_items))
        figures += _differences(ratings, of_aspect)
    return figures, points


def _scored(study: Study, items: Sequence[int], metric: StudyMetric, number: int) -> ScoredItems:
    scores = np.array([item_score(study, metric, item) for item in items])
    direction = "" if metric.higher_is_better else ", lower is better"
    title = f"{metric_title(metric.name)} ({metric.by}{direction})"
    if study.kind == "absolute":
        title = titled(title, metric.aspect)
    return ScoredItems(key=f"points-{number}", title=title, metric=metric, scores=scores)


def item_score(study: Study, metric: StudyMetric, item: int) -> float:
    """A metric's score of an item: of its picture, or of the first method's minus the second's; NaN without one."""
    origin = study.origins[item]
    by_method = {source.method: metric.score(source.image, origin) for source in origin.sources}
    scores = [by_method[method] for method in study.methods if method in by_method]
    first, second = scores[0], scores[1] if study.kind == "ab" else 0.0
    return float("nan") if first is None or second is None else first - second


def _coefficients(study: Study, metric: StudyMetric) -> dict[str, Coefficient]:
    """The coefficients that suit the study's kind and the metric, by name."""
    first = "point-biserial r" if metric.binary and study.kind == "absolute" else "Pearson r"
    common: dict[str, Coefficient] = {
        first: pearson,
        "Spearman rho": spearman,
        "Kendall tau-b": coefficients.kendall,
    }
    if study.kind == "ab":
        return common | {
            "pairwise agreement, without people's ties": coefficients.same_side,
            "pairwise agreement, with ties": coefficients.same_of_three,
        }
    common |= {"pairwise agreement": coefficients.ordered_alike}
    if metric.binary:
        return common | {f"phi{OF_MAJORITY}": coefficients.phi, f"Cohen kappa{OF_MAJORITY}": coefficients.kappa}
    return common | {f"AUC{OF_MAJORITY}": coefficients.auc}


def _reliability(ratings: Ratings) -> Reliability | str:
    """How reliable the raters' mean is, or why that is not known."""
    try:
        return reliability(ratings)
    except UndefinedError as error:
        return str(error)


def _coefficient_figures(
    study: Study, ratings: Ratings, of_raters: Reliability | str, scored: ScoredItems
) -> list[Figure]:
    wanted = _coefficients(study, scored.metric)
    try:
        result = correlate(ratings, scored.oriented, wanted)
    except UndefinedError as error:
        n = int(np.isfinite(scored.scores).sum())
        return [
            undefined(
                SECTION,
                scored.title,
                next(iter(wanted)),
                _why_not(study, scored, error),
                n=n,
                counted="items",
                key=scored.key,
            )
        ]
    raw, *others = (_coefficient_figure(scored, name, result) for name in wanted)
    return [raw, _corrected(ratings, of_raters, scored, result.items), *others]


def _why_not(study: Study, scored: ScoredItems, error: UndefinedError) -> str:
    """Why a metric has no correlation at all."""
    if scored.metric.why_not:
        return scored.metric.why_not
    return BEST if scored.metric.name == MARS2 and study.scenario == "best" else str(error)


def _coefficient_figure(scored: ScoredItems, name: str, result: Correlated) -> Figure:
    """One coefficient, with what was left out."""
    split = result.split if name.endswith(OF_MAJORITY) else 0
    notes = [
        f"{count(split, 'item')} on which people are split evenly left out" if split else "",
        f"{count(scored.metric.elsewhere, 'picture')} scored against something else left out"
        if scored.metric.elsewhere
        else "",
    ]
    value, note, n = result.values[name], "; ".join(filter(None, notes)), result.items - split
    if isinstance(value, str):
        return undefined(
            SECTION, scored.title, name, "; ".join(filter(None, (value, note))), n=n, counted="items", key=scored.key
        )
    return figure_of(SECTION, scored.title, name, value, n=n, counted="items", key=scored.key, note=note)


def _corrected(ratings: Ratings, of_raters: Reliability | str, scored: ScoredItems, n: int) -> Figure:
    """Pearson's r corrected for the raters' reliability."""
    if isinstance(of_raters, str):
        return undefined(SECTION, scored.title, CORRECTED, of_raters, n=n, counted="items", key=scored.key)
    measure = partial(corrected, ratings, scored.oriented, of_raters)
    return measured_figure(SECTION, scored.title, CORRECTED, measure, n=n, counted="items", key=scored.key)


def _differences(ratings: Ratings, scored: Sequence[ScoredItems]) -> list[Figure]:
    """By how much MARS2 of each judge exceeds that of each other judge, and each other metric."""
    judges = [one for one in scored if one.metric.name == MARS2]
    others = [one for one in scored if one.metric.name != MARS2 and not one.metric.why_not]
    pairs = [*combinations(judges, 2), *product(judges, others)]
    figures = []
    for one, other in pairs:
        n = int((np.isfinite(one.scores) & np.isfinite(other.scores)).sum())
        measure = partial(difference, ratings, one.oriented, other.oriented)
        figures.append(
            measured_figure(
                SECTION, f"{one.title} minus {other.title}", "difference of r", measure, n=n, counted="items"
            )
        )
    return figures


def _points(study: Study, ratings: Ratings, items: Sequence[int], scored: ScoredItems) -> Points:
    """The items that the metric scores, with people's mean answers."""
    has_score = np.isfinite(scored.scores)
    people = ratings.item_means()
    origins = [study.origins[items[at]] for at in np.flatnonzero(has_score).tolist()]
    return Points(
        metric=scored.metric.name,
        by=scored.metric.by,
        aspect=scored.metric.aspect,
        labels=tuple(f"{origin.subject} in {origin.style}" for origin in origins),
        pictures=tuple(tuple(source.image for source in origin.sources) for origin in origins),
        people=tuple(map(float, people[has_score])),
        scores=tuple(map(float, scored.scores[has_score])),
        key=scored.key,
    )
