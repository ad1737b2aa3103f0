"""The section "model": the methods' strengths by Davidson's model, Bradley-Terry with ties where there are more."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lorarar.util.statistics.undefined import UndefinedError
from studies.figures import STRENGTH, Figure
from studies.reports.figure_builders import figure_of, p_figure, ratings_of, undefined
from studies.reports.standing_votes import StandingVote, methods_of
from studies.statistics.strengths import MethodStrengths, method_strengths
from studies.store import Study

SECTION = "model"
SIMULTANEOUS = "all intervals of strengths hold at once"


def strength_figures(study: Study, votes: Sequence[StandingVote]) -> list[Figure]:
    """The strengths of an A/B study's methods, of more than two also two by two, and how readily people call a tie."""
    ratings = ratings_of(study, votes, lambda vote: vote.leaning)
    places = np.array([[study.methods.index(method) for method in methods_of(study, vote)] for vote in votes])
    two = len(study.methods) == 2
    name = "Davidson" if two else "Bradley-Terry with ties"
    try:
        result = method_strengths(ratings, places, len(study.methods))
    except UndefinedError as error:
        return [undefined(SECTION, name, "strengths", str(error))]
    nu = figure_of(SECTION, name, "nu", result.nu, n=len(votes), counted="votes")
    if two:
        odds = result.contrasts[0, 1].estimate
        return [figure_of(SECTION, name, f"log odds of {study.methods[0]}", odds, n=len(votes), counted="votes"), nu]
    strengths = [
        figure_of(SECTION, name, STRENGTH + method, one, n=len(votes), counted="votes", note=SIMULTANEOUS)
        for method, one in zip(study.methods, result.strengths, strict=True)
    ]
    return [*strengths, nu, *_contrasts(study, votes, result)]


def _contrasts(study: Study, votes: Sequence[StandingVote], result: MethodStrengths) -> list[Figure]:
    """Every two methods' strengths against each other, by all votes, those on others included."""
    figures = []
    for (one, two), contrast in result.contrasts.items():
        of = f"{study.methods[one]} against {study.methods[two]}"
        figures += [
            figure_of(SECTION, of, "difference of log strengths", contrast.estimate, n=len(votes), counted="votes"),
            p_figure(SECTION, of, "p, Holm-adjusted", contrast.adjusted, note=f"{contrast.p:.2g} before"),
        ]
    return figures
