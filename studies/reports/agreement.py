"""The section "agreement": how far raters agree with each other and with themselves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from lorarar.util.statistics.agreement import Level
from lorarar.util.statistics.undefined import UndefinedError
from studies.figures import ASPECT_TITLES, Figure
from studies.reports.figure_builders import figure_of, measured_figure, ratings_of, undefined, value_for
from studies.reports.standing_votes import StandingVote
from studies.statistics.agreement import alpha, consistency
from studies.statistics.ratings import Ratings
from studies.statistics.reliability import intraclass, reliability
from studies.store import Study

SECTION = "agreement"
ONE_RATER = "one rater against the others (r)"
RELIABILITY = "reliability of the raters' mean, Spearman-Brown"
INTRACLASS = "reliability of the raters' mean, ICC(1,k)"
CEILING = "human ceiling"
OF_CEILING = "the largest r with the raters' mean that any metric can be expected to have"
REPEATS = "repeats answered alike"


def agreement(study: Study, votes: Sequence[StandingVote]) -> list[Figure]:
    """Krippendorff's alpha, reliability and human ceiling, by aspect where the study has aspects, and the repeats."""
    plain = [vote for vote in votes if vote.purpose == "plain"]
    levels: tuple[Level, ...] = ("nominal", "ordinal") if study.kind == "ab" else ("nominal",)
    figures = []
    for aspect in ("",) if study.kind == "ab" else tuple(ASPECT_TITLES):
        ratings = ratings_of(study, plain, value_for(study, aspect))
        for level in levels:
            name, measure = f"Krippendorff's alpha, {level}", partial(alpha, ratings, level)
            figures.append(measured_figure(SECTION, aspect, name, measure, n=ratings.rater_count, counted="raters"))
        figures += _reliability(aspect, ratings)
    return [*figures, _repeats(study, votes, plain)]


def _reliability(aspect: str, ratings: Ratings) -> list[Figure]:
    """One rater with the others, the reliability of their mean, and the ceiling that follows from it."""
    raters = ratings.rater_count
    by_variances = measured_figure(
        SECTION, aspect, INTRACLASS, partial(intraclass, ratings), n=raters, counted="raters"
    )
    try:
        result = reliability(ratings)
    except UndefinedError as error:
        refused = [undefined(SECTION, aspect, name, str(error)) for name in (ONE_RATER, RELIABILITY, CEILING)]
        return [*refused[:2], by_variances, refused[2]]
    return [
        figure_of(SECTION, aspect, ONE_RATER, result.one_against_others, n=result.raters, counted="raters"),
        figure_of(SECTION, aspect, RELIABILITY, result.of_mean, n=raters, counted="raters"),
        by_variances,
        figure_of(SECTION, aspect, CEILING, result.ceiling, n=raters, counted="raters", note=OF_CEILING),
    ]


def _repeats(study: Study, votes: Sequence[StandingVote], plain: Sequence[StandingVote]) -> Figure:
    first = {(vote.rater, vote.item): vote.answer for vote in plain}
    again = [vote for vote in votes if vote.purpose == "repeat" and (vote.rater, vote.item) in first]
    if not again:
        return undefined(SECTION, "", REPEATS, "nobody has seen an item again")
    same = ratings_of(study, again, lambda vote: first[vote.rater, vote.item] == vote.answer)
    return figure_of(SECTION, "", REPEATS, consistency(same), n=len(again), counted="repeats")
