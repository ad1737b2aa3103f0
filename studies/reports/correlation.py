"""The section "correlation": people against MARS2 and the other metrics, with the points that plots show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from judge.metrics import MARS2
from lorarar.store import Store
from lorarar.util.statistics.undefined import UndefinedError
from studies.figures import Figure, Points, metric_title, titled
from studies.reports.figure_builders import figure_of, measured_figure, ratings_of, undefined, value_for
from studies.reports.metrics import StudyAspect, StudyMetric, metrics
from studies.reports.standing_votes import StandingVote
from studies.statistics import correlation
from studies.statistics.correlation import Coefficient, correlate, difference
from studies.statistics.ratings import Floats, Ratings
from studies.store import Study

SECTION = "correlation"
ASPECTS: tuple[StudyAspect, ...] = ("both", "subject", "style")
BEST = "every picture of a best study was accepted by MARS2, so it cannot vary; a study of random pictures tells"
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
    """People against every metric that scores the study's pictures, and MARS2 against each of the others."""
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
        of_aspect = [metric_items for metric_items in scored if metric_items.metric.aspect == aspect]
        for metric_items in of_aspect:
            figures += _coefficient_figures(study, ratings, metric_items)
            points.append(_points(study, ratings, items, metric_items))
        figures += _differences(ratings, of_aspect)
    return figures, points


def _scored(study: Study, items: Sequence[int], metric: StudyMetric, number: int) -> ScoredItems:
    scores = np.array([_score(study, metric, item) for item in items])
    direction = "" if metric.higher_is_better else ", lower is better"
    title = f"{metric_title(metric.name)} ({metric.by}{direction})"
    if study.kind == "absolute":
        title = titled(title, metric.aspect)
    return ScoredItems(key=f"points-{number}", title=title, metric=metric, scores=scores)


def _score(study: Study, metric: StudyMetric, item: int) -> float:
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
        first: correlation.pearson,
        "Spearman rho": correlation.spearman,
        "Kendall tau-b": correlation.kendall,
    }
    if study.kind == "ab":
        return common | {
            "pairwise agreement, without people's ties": correlation.same_side,
            "pairwise agreement, with ties": correlation.same_of_three,
        }
    common |= {"pairwise agreement": correlation.ordered_alike}
    if metric.binary:
        return common | {"phi (majority)": correlation.phi, "Cohen kappa (majority)": correlation.kappa}
    return common | {"AUC (majority)": correlation.auc}


def _coefficient_figures(study: Study, ratings: Ratings, scored: ScoredItems) -> list[Figure]:
    coefficients = _coefficients(study, scored.metric)
    try:
        result = correlate(ratings, scored.oriented, coefficients)
    except UndefinedError as error:
        note = BEST if scored.metric.name == MARS2 and study.scenario == "best" else str(error)
        n = int(np.isfinite(scored.scores).sum())
        return [undefined(SECTION, scored.title, next(iter(coefficients)), note, n=n, counted="items", key=scored.key)]
    return [
        undefined(SECTION, scored.title, name, value, n=result.items, counted="items", key=scored.key)
        if isinstance(value, str)
        else figure_of(SECTION, scored.title, name, value, n=result.items, counted="items", key=scored.key)
        for name, value in result.values.items()
    ]


def _differences(ratings: Ratings, scored: Sequence[ScoredItems]) -> list[Figure]:
    """By how much MARS2 of the judge who answered most exceeds each other metric."""
    if not scored or scored[0].metric.name != MARS2:
        return []
    mars2 = scored[0]
    figures = []
    for other in scored[1:]:
        if other.metric.name != MARS2:
            n = int((np.isfinite(mars2.scores) & np.isfinite(other.scores)).sum())
            measure = partial(difference, ratings, mars2.oriented, other.oriented)
            title = f"{mars2.title} minus {other.title}"
            figures.append(measured_figure(SECTION, title, "difference of r", measure, n=n, counted="items"))
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
        people=tuple(map(float, people[has_score])),
        scores=tuple(map(float, scored.scores[has_score])),
        key=scored.key,
    )
