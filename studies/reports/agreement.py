"""The section "agreement": how far raters agree with each other and with themselves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from lorarar.util.statistics.agreement import Level
from lorarar.util.statistics.undefined import UndefinedError
from studies.figures import ASPECT_TITLES, Figure
from studies.reports.figure_builders import figure_of, measured_figure, ratings_of, undefined, value_for
from studies.reports.standing_votes import StandingVote
from studies.statistics.agreement import alpha, ceiling, consistency
from studies.statistics.ratings import Ratings
from studies.store import Study

SECTION = "agreement"
CEILING = "human ceiling (one rater's r with the others)"
REPEATS = "repeats answered alike"


def agreement(study: Study, votes: Sequence[StandingVote]) -> list[Figure]:
    """Krippendorff's alpha and the human ceiling, by aspect where the study has aspects, and the repeats."""
    plain = [vote for vote in votes if vote.purpose == "plain"]
    levels: tuple[Level, ...] = ("nominal", "ordinal") if study.kind == "ab" else ("nominal",)
    figures = []
    for aspect in ("",) if study.kind == "ab" else tuple(ASPECT_TITLES):
        ratings = ratings_of(study, plain, value_for(study, aspect))
        for level in levels:
            name, measure = f"Krippendorff's alpha, {level}", partial(alpha, ratings, level)
            figures.append(measured_figure(SECTION, aspect, name, measure, n=ratings.rater_count, counted="raters"))
        figures.append(_ceiling(aspect, ratings))
    return [*figures, _repeats(study, votes, plain)]


def _ceiling(aspect: str, ratings: Ratings) -> Figure:
    try:
        value, raters = ceiling(ratings)
    except UndefinedError as error:
        return undefined(SECTION, aspect, CEILING, str(error))
    return figure_of(SECTION, aspect, CEILING, value, n=raters, counted="raters")


def _repeats(study: Study, votes: Sequence[StandingVote], plain: Sequence[StandingVote]) -> Figure:
    first = {(vote.rater, vote.item): vote.answer for vote in plain}
    again = [vote for vote in votes if vote.purpose == "repeat" and (vote.rater, vote.item) in first]
    if not again:
        return undefined(SECTION, "", REPEATS, "nobody has seen an item again")
    same = ratings_of(study, again, lambda vote: first[vote.rater, vote.item] == vote.answer)
    return measured_figure(SECTION, "", REPEATS, partial(consistency, same), n=len(again), counted="repeats")
