"""The section "outcomes": which of two methods people prefer, or how often they say yes to one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from lorarar.util.grouping import group_by
from lorarar.util.statistics.estimate import Estimate
from lorarar.util.statistics.holm import holm
from lorarar.util.statistics.undefined import UndefinedError
from studies.figures import ASPECT_TITLES, Figure
from studies.reports.figure_builders import figure_of, mean, p_figure, ratings_of, undefined, value_for
from studies.reports.standing_votes import StandingVote, methods_of, toward_first
from studies.statistics.outcomes import equivalence, outcomes, sign_test
from studies.statistics.ratings import Ratings
from studies.store import Study

SECTION = "outcomes"
SHARE, PREFERENCE = (0.0, 1.0), (-1.0, 1.0)  # the least and the most that figures can be
SIGN_TEST, MARGIN_TEST, EQUIVALENCE = "sign test p", "margin test p", "equivalence p"


def preferences(study: Study, votes: Sequence[StandingVote]) -> list[Figure]:
    """Wins, ties and losses of every two methods of an A/B study (the paper's Figure 7), with their tests.

    Of more than two methods each test's p is also adjusted for how many there are.
    """
    pairs = list(combinations(study.methods, 2))
    of_pairs = {pair: [vote for vote in votes if set(methods_of(study, vote)) == set(pair)] for pair in pairs}
    tests = {pair: _tests(study, of_pairs[pair], pair) for pair in pairs if of_pairs[pair]}
    if len(pairs) > 1:
        tests = _with_adjusted(tests)
    return [figure for pair in pairs for figure in [*_preference(study, of_pairs[pair], pair), *tests.get(pair, [])]]


def _preference(study: Study, votes: Sequence[StandingVote], pair: tuple[str, str]) -> list[Figure]:
    of = _title(pair)
    if not votes:
        return [undefined(SECTION, of, "wins", "no votes on these two")]
    shares = outcomes(ratings_of(study, votes, lambda vote: toward_first(study, vote)))
    named: dict[str, tuple[Estimate, tuple[float, float]]] = {
        f"{pair[0]} better": (shares.wins, SHARE),
        study.design.wording.tie.lower(): (shares.ties, SHARE),
        f"{pair[1]} better": (shares.losses, SHARE),
        f"{pair[0]} comparable or better": (shares.comparable_or_better, SHARE),
        "preference": (shares.preference, PREFERENCE),
    }
    return [
        figure_of(SECTION, of, name, value, n=shares.votes, counted="votes", scale=scale)
        for name, (value, scale) in named.items()
    ]


def _tests(study: Study, votes: Sequence[StandingVote], pair: tuple[str, str]) -> list[Figure]:
    """The sign test of two methods, and those against the study's margin where it has one."""
    ratings = ratings_of(study, votes, lambda vote: toward_first(study, vote))
    margin = study.rules.margin
    return [_sign(_title(pair), ratings), *([] if margin is None else _against_margin(pair, ratings, margin))]


def _sign(of: str, ratings: Ratings) -> Figure:
    try:
        test = sign_test(ratings)
    except UndefinedError as error:
        return undefined(SECTION, of, SIGN_TEST, str(error))
    note = f"{test.better} pairs lean to the first, {test.worse} to the second, {test.even} to none"
    return p_figure(SECTION, of, SIGN_TEST, test.p, n=test.better + test.worse, counted="pairs", note=note)


def _against_margin(pair: tuple[str, str], ratings: Ratings, margin: float) -> list[Figure]:
    """Whether the first of two methods is comparable or better often enough, and whether both are."""
    test, of, votes = equivalence(ratings, margin), _title(pair), len(ratings.values)
    more = f"comparable or better in more than {margin:.0%} of the votes"
    first = f"one-sided: {pair[0]} is {more}"
    both = f"{more}, each one-sided: {pair[0]} p {test.first:.2g}, {pair[1]} p {test.second:.2g}"
    return [
        p_figure(SECTION, of, MARGIN_TEST, test.first, n=votes, counted="votes", note=first),
        p_figure(SECTION, of, EQUIVALENCE, test.p, n=votes, counted="votes", note=both),
    ]


def _with_adjusted(tests: Mapping[tuple[str, str], Sequence[Figure]]) -> dict[tuple[str, str], list[Figure]]:
    """Tests, each that has a p followed by its p for all of its kind together (Holm)."""
    figures = [figure for of_pair in tests.values() for figure in of_pair if isinstance(figure.value, float)]
    adjusted: dict[Figure, float] = {}
    for of_kind in group_by(figures, lambda figure: figure.name).values():
        adjusted |= holm({figure: float(figure.value or 0) for figure in of_kind})

    def together(figure: Figure) -> list[Figure]:
        if figure not in adjusted:
            return [figure]
        note = f"of {len(tests)} tests together"
        return [figure, p_figure(SECTION, figure.of, f"{figure.name}, Holm-adjusted", adjusted[figure], note=note)]

    return {pair: [one for figure in of_pair for one in together(figure)] for pair, of_pair in tests.items()}


def _title(pair: tuple[str, str]) -> str:
    return f"{pair[0]} against {pair[1]}"


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
    return figure_of(SECTION, method, name, mean(ratings), n=len(votes), counted="votes", scale=SHARE)
