"""The section "outcomes": which of two methods people prefer, or how often they say yes to one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import combinations

from lorarar.util.statistics.undefined import UndefinedError
from studies.figures import ASPECT_TITLES, Figure
from studies.reports.figure_builders import figure_of, mean, measured_figure, ratings_of, undefined, value_for
from studies.reports.standing_votes import StandingVote, methods_of, toward_first
from studies.statistics.outcomes import outcomes, sign_test
from studies.statistics.ratings import Ratings
from studies.store import Study

SECTION = "outcomes"


def preferences(study: Study, votes: Sequence[StandingVote]) -> list[Figure]:
    """Wins, ties and losses of every two methods of an A/B study (the paper's Figure 7), with the sign test."""
    return [figure for pair in combinations(study.methods, 2) for figure in _preference(study, votes, pair)]


def _preference(study: Study, votes: Sequence[StandingVote], pair: tuple[str, str]) -> list[Figure]:
    of = f"{pair[0]} against {pair[1]}"
    of_pair = [vote for vote in votes if set(methods_of(study, vote)) == set(pair)]
    if not of_pair:
        return [undefined(SECTION, of, "wins", "no votes on these two")]
    ratings = ratings_of(study, of_pair, lambda vote: toward_first(study, vote))
    try:
        shares = outcomes(ratings)
    except UndefinedError as error:
        return [undefined(SECTION, of, "wins", str(error), n=len(of_pair), counted="votes")]
    named = {
        f"{pair[0]} better": shares.wins,
        study.design.wording.tie.lower(): shares.ties,
        f"{pair[1]} better": shares.losses,
        f"{pair[0]} comparable or better": shares.comparable_or_better,
        "preference": shares.preference,
    }
    return [
        *(figure_of(SECTION, of, name, value, n=shares.votes, counted="votes") for name, value in named.items()),
        _sign(of, ratings),
    ]


def _sign(of: str, ratings: Ratings) -> Figure:
    try:
        test = sign_test(ratings)
    except UndefinedError as error:
        return undefined(SECTION, of, "sign test p", str(error))
    note = f"{test.better} pairs lean to the first, {test.worse} to the second, {test.even} to none"
    n = test.better + test.worse
    return Figure(section=SECTION, of=of, name="sign test p", value=test.p, n=n, counted="pairs", note=note)


def yes_shares(study: Study, votes: Sequence[StandingVote]) -> list[Figure]:
    """How often people say yes to each method's pictures in an absolute study, by aspect."""
    return [
        _yes_share(study, [vote for vote in votes if methods_of(study, vote) == (method,)], method, aspect)
        for method in study.methods
        for aspect in ASPECT_TITLES
    ]


def _yes_share(study: Study, votes: Sequence[StandingVote], method: str, aspect: str) -> Figure:
    name = ASPECT_TITLES[aspect]
    if not votes:
        return undefined(SECTION, method, name, "no votes on it")
    ratings = ratings_of(study, votes, value_for(study, aspect))
    return measured_figure(SECTION, method, name, partial(mean, ratings), n=len(votes), counted="votes")
