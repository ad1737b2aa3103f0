"""The section "model": the methods' strengths by Davidson's model, Bradley-Terry with ties where there are more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from lorarar.util.statistics.davidson import Comparisons
from lorarar.util.statistics.undefined import UndefinedError
from studies.figures import Figure
from studies.reports.figure_builders import measured_figure, ratings_of, undefined
from studies.reports.standing_votes import StandingVote, methods_of
from studies.statistics.crossed import interval, resamples, vote_weights
from studies.statistics.draws import current_draws
from studies.statistics.ratings import Floats, Ratings
from studies.store import Study

SECTION = "model"

#: Log strengths of the methods, then nu (methods + 1,), as a function of the votes' weights (votes,).
Strengths = Callable[[Floats], Floats]


def strength_figures(study: Study, votes: Sequence[StandingVote]) -> list[Figure]:
    """The strengths of an A/B study's methods and how readily people call a tie (nu), each with its interval."""
    ratings = ratings_of(study, votes, lambda vote: vote.leaning)
    strengths = _strengths(study, votes, ratings)
    name = "Davidson" if len(study.methods) == 2 else "Bradley-Terry with ties"
    try:
        value = strengths(np.ones_like(ratings.values))
    except UndefinedError as error:
        return [undefined(SECTION, name, "strengths", str(error))]
    values, draws = _named(study, value), _named(study, _draws(strengths, ratings, len(study.methods)))
    return [
        measured_figure(
            SECTION, name, what, partial(interval, float(values[what]), draws[what]), n=len(votes), counted="votes"
        )
        for what in values
    ]


def _strengths(study: Study, votes: Sequence[StandingVote], ratings: Ratings) -> Strengths:
    """The model as a function of the votes' weights, which raises UndefinedError where it has no fit."""
    places = np.array([[study.methods.index(method) for method in methods_of(study, vote)] for vote in votes])
    comparisons = Comparisons(ratings.values, places, len(study.methods))

    def strengths(weights: Floats) -> Floats:
        model = comparisons.fit(weights)
        return np.array([*model.strengths, model.nu])

    return strengths


def _draws(strengths: Strengths, ratings: Ratings, methods: int) -> Floats:
    """The model of every resample (methods + 1, resamples); NaN where it has no fit."""
    whole = current_draws().count
    count = whole if methods == 2 else whole // 4  # two methods have a closed form
    draws = np.full((count, methods + 1), np.nan)
    for row, weights in zip(draws, resamples(ratings, count), strict=True):
        try:
            row[:] = strengths(vote_weights(ratings, *weights))
        except UndefinedError:
            continue
    return draws.T


def _named(study: Study, columns: Floats) -> Mapping[str, Floats]:
    """Log strengths, then nu, under the names of the report's figures: of two methods, their log odds alone."""
    *strengths, nu = columns
    if len(study.methods) == 2:
        return {f"log odds of {study.methods[0]}": strengths[0] - strengths[1], "nu": nu}
    named = {f"log strength of {method}": column for method, column in zip(study.methods, strengths, strict=True)}
    return named | {"nu": nu}
