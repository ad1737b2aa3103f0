"""What came of a study, as figures: each with its interval and n, or with the reason why it is not defined.

People and simulated raters are never in one report; one of the latter says so on every line of every format.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations

import numpy as np

from lorarar.store import Store
from lorarar.util.statistics.bootstrap import RESAMPLES, Interval
from studies.errors import StudyError
from studies.metrics import MARS2, Asks, Metric, metrics
from studies.rater.votes import LEAST_PIXELS
from studies.standing_votes import StandingVote, inattentive, passed, standing_votes
from studies.statistics import correlation
from studies.statistics.agreement import Level, alpha, ceiling, consistency
from studies.statistics.correlation import Coefficient, correlate, difference
from studies.statistics.crossed import crossed, interval, resamples, vote_weights, weighted_mean
from studies.statistics.davidson import fit, two_methods
from studies.statistics.outcomes import outcomes, sign_test
from studies.statistics.ratings import Floats, Ratings, UndefinedError
from studies.store import Study, StudyStore

ASPECTS: tuple[Asks, ...] = ("both", "subject", "style")
SIMULATED = "simulated raters, not people"
KINDS = {"ab": "A/B: which of two pictures is better", "absolute": "absolute: what one picture shows"}
BEST = "every picture of a best study was accepted by MARS2, so it cannot vary; a study of random pictures tells"


@dataclass(frozen=True)
class Figure:
    """A line of a report."""

    section: str  # study, outcomes, model, agreement, correlation
    of: str  # methods, metric, …
    name: str
    value: float | str | None  # None: not defined, and the note says why
    low: float | None = None  # of the 95 % interval
    high: float | None = None
    n: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Points:
    """People against a metric, for a scatter plot."""

    metric: str
    by: str
    aspect: str
    labels: tuple[str, ...]  # of items
    people: tuple[float, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True)
class Report:
    """A study's figures."""

    study: str
    kind: str
    simulated: bool
    figures: tuple[Figure, ...]
    points: tuple[Points, ...]

    def section(self, name: str) -> list[Figure]:
        """The figures of a section."""
        return [figure for figure in self.figures if figure.section == name]


def report(store: Store, name: str, simulated: bool = False, attentive: bool = False) -> Report:
    """The report on people, or on simulated raters; ``attentive`` leaves out who failed an attention check.

    Raises:
        StudyError: there is no such study, or no votes to report on.
    """
    studies = StudyStore(store)
    study = studies.get(name)
    votes = standing_votes(studies, study, simulated)
    failed = inattentive(study, votes)
    kept = [vote for vote in votes if not (attentive and vote.rater in failed)]
    plain = [vote for vote in kept if vote.purpose == "plain"]
    if not plain:
        raise StudyError(_nothing(studies, study, simulated, bool(votes)))
    found = [*_facts(study, kept, failed, attentive)]
    found += _preferences(study, plain) if study.kind == "ab" else _shares(study, plain)
    found += _agreement(study, kept)
    correlations, points = _correlations(store, study, plain)
    found += correlations
    if simulated:
        found = [replace(figure, note="; ".join(filter(None, (SIMULATED, figure.note)))) for figure in found]
    return Report(name, study.kind, simulated, tuple(found), tuple(points))


def _nothing(studies: StudyStore, study: Study, simulated: bool, left_out: bool) -> str:
    others = sum(rater.simulated != simulated for rater in studies.raters(study))
    if left_out:
        return f"all raters of the study {study.name} failed an attention check; report without --attentive"
    if simulated:
        return f"the study {study.name} has no simulated raters; make some with: lorarar study simulate"
    hint = f"; it has {others} simulated raters, which --simulated reports on" if others else ""
    return f"nobody has voted on the study {study.name} yet{hint}"


def _facts(study: Study, votes: Sequence[StandingVote], failed: set[str], attentive: bool) -> list[Figure]:
    plain = [vote for vote in votes if vote.purpose == "plain"]
    checks = [vote for vote in votes if vote.purpose == "attention"]
    raters = {vote.rater for vote in votes}
    cells = {(origin.subject, origin.style) for origin in study.origins if origin.subject}
    wanted = study.design.count("plain")
    counts: dict[str, int] = {}
    for vote in plain:
        counts[vote.rater] = counts.get(vote.rater, 0) + 1
    facts: list[tuple[str, float | str, str]] = [
        ("kind", KINDS[study.kind], ""),
        ("scenario", study.scenario, f"MARS2 by {study.judge['critic']}" if study.judge else ""),
        ("methods", ", ".join(study.methods), ""),
        ("items", wanted, f"of {len(cells)} subject-style pairs"),
        ("raters", len(raters), f"{sum(count == wanted for count in counts.values())} saw all items"),
        ("votes", len(plain), "without practice, repeats and checks"),
        ("median seconds", float(np.median([vote.seconds for vote in plain])), "from showing to answer"),
        ("shown by", ", ".join(sorted({vote.screen.renderer for vote in plain})), ""),
    ]
    if small := sum(vote.screen.too_small for vote in plain):
        facts.append(("small pictures", small, f"votes on pictures with a side of fewer than {LEAST_PIXELS} pixels"))
    if checks:
        right = sum(passed(study, vote) for vote in checks)
        gone = "who are left out" if attentive else "who are kept; --attentive leaves them out"
        facts.append(("attention checks passed", right / len(checks), f"{len(failed)} raters failed one, {gone}"))
    found = [Figure("study", "", name, value, note=note) for name, value, note in facts]
    if study.kind == "ab":
        sides = [vote for vote in plain if vote.side != "similar"]
        left = _interval("study", "", "left", len(sides), lambda: _mean(_ratings(study, sides, _left)))
        found.append(replace(left, note=left.note or "of the votes for a side"))
    return found


def _left(vote: StandingVote) -> float:
    return float(vote.side == "left")


def _preferences(study: Study, votes: Sequence[StandingVote]) -> list[Figure]:
    found: list[Figure] = []
    for pair in combinations(study.methods, 2):
        said = f"{pair[0]} against {pair[1]}"
        of_pair = [vote for vote in votes if set(_methods(study, vote)) == set(pair)]
        if not of_pair:
            found.append(Figure("outcomes", said, "wins", None, note="no votes on these two"))
            continue
        ratings = _ratings(study, of_pair, lambda vote: _toward(study, vote, study.methods))
        try:
            one = outcomes(ratings)
        except UndefinedError as error:
            found.append(Figure("outcomes", said, "wins", None, n=len(of_pair), note=str(error)))
            continue
        named = {
            f"{pair[0]} better": one.wins,
            study.design.wording.tie.lower(): one.ties,
            f"{pair[1]} better": one.losses,
            f"{pair[0]} comparable or better": one.comparable_or_better,
            "preference": one.preference,
        }
        found += [_figure("outcomes", said, name, value, one.votes) for name, value in named.items()]
        found.append(_sign(said, ratings))
    return found + _strengths(study, votes)


def _sign(said: str, ratings: Ratings) -> Figure:
    try:
        test = sign_test(ratings)
    except UndefinedError as error:
        return Figure("outcomes", said, "sign test p", None, note=str(error))
    note = f"{test.better} pairs lean to the first, {test.worse} to the second, {test.even} to none"
    return Figure("outcomes", said, "sign test p", test.p, n=test.better + test.worse, note=note)


def _strengths(study: Study, votes: Sequence[StandingVote]) -> list[Figure]:
    """Davidson's model, of two methods or of more."""
    ratings = _ratings(study, votes, lambda vote: vote.leaning)
    index = {method: number for number, method in enumerate(study.methods)}
    places = np.array([[index[method] for method in _methods(study, vote)] for vote in votes])
    size = len(study.methods)

    def strengths(weights: Floats) -> Floats:
        """Log strengths, then nu; NaN where they are not defined."""
        wins, ties = np.zeros((size, size)), np.zeros((size, size))
        for leaning, (winner, loser) in ((1, (0, 1)), (-1, (1, 0))):
            at = ratings.values == leaning
            np.add.at(wins, (places[at, winner], places[at, loser]), weights[at])
        at = ratings.values == 0
        for one, two in ((0, 1), (1, 0)):
            np.add.at(ties, (places[at, one], places[at, two]), weights[at])
        model = two_methods(wins[0, 1], ties[0, 1], wins[1, 0]) if size == 2 else fit(wins, ties)
        return np.array([*model.strengths, model.nu])

    name = "Davidson" if size == 2 else "Bradley-Terry with ties"
    try:
        value = strengths(np.ones_like(ratings.values))
    except UndefinedError as error:
        return [Figure("model", name, "strengths", None, note=str(error))]
    drawn = np.full((RESAMPLES // (1 if size == 2 else 4), size + 1), np.nan)
    for row, weights in zip(drawn, resamples(ratings, len(drawn)), strict=True):
        try:
            row[:] = strengths(vote_weights(ratings, *weights))
        except UndefinedError:
            continue
    if size == 2:
        odds = f"log odds of {study.methods[0]}"
        columns = {odds: (value[0] - value[1], drawn[:, 0] - drawn[:, 1])}
    else:
        columns = {f"log strength of {method}": (value[at], drawn[:, at]) for method, at in index.items()}
    columns["nu"] = (value[-1], drawn[:, -1])
    return [
        _interval("model", name, what, len(votes), lambda pair=pair: interval(float(pair[0]), pair[1]))  # type: ignore[misc]
        for what, pair in columns.items()
    ]


def _shares(study: Study, votes: Sequence[StandingVote]) -> list[Figure]:
    """Of absolute studies: how often people say yes."""
    found = []
    for method in study.methods:
        of_method = [vote for vote in votes if _methods(study, vote) == (method,)]
        for aspect in ASPECTS:
            said = "subject and style" if aspect == "both" else aspect
            if of_method:
                ratings = _ratings(study, of_method, lambda vote, aspect=aspect: vote.shows(aspect))  # type: ignore[misc]
                found.append(_interval("outcomes", method, said, len(of_method), partial(_mean, ratings)))
            else:
                found.append(Figure("outcomes", method, said, None, note="no votes on it"))
    return found


def _agreement(study: Study, votes: Sequence[StandingVote]) -> list[Figure]:
    plain = [vote for vote in votes if vote.purpose == "plain"]
    found = []
    aspects: tuple[str, ...] = ("",) if study.kind == "ab" else ASPECTS
    for aspect in aspects:
        ratings = _ratings(study, plain, _value(study, aspect))
        levels: tuple[Level, ...] = ("nominal", "ordinal") if study.kind == "ab" else ("nominal",)
        for level in levels:
            name = f"Krippendorff's alpha, {level}"
            found.append(_interval("agreement", aspect, name, ratings.rater_count, lambda: alpha(ratings, level)))  # noqa: B023
        try:
            value, raters = ceiling(ratings)
            found.append(_figure("agreement", aspect, CEILING, value, raters))
        except UndefinedError as error:
            found.append(Figure("agreement", aspect, CEILING, None, note=str(error)))
    first = {(vote.rater, vote.item): vote.answer for vote in plain}
    again = [vote for vote in votes if vote.purpose == "repeat" and (vote.rater, vote.item) in first]
    name = "repeats answered alike"
    if not again:
        return [*found, Figure("agreement", "", name, None, note="nobody has seen an item again")]
    same = _ratings(study, again, lambda vote: first[vote.rater, vote.item] == vote.answer)
    return [*found, _interval("agreement", "", name, len(again), lambda: consistency(same))]


CEILING = "human ceiling (one rater's r with the others)"


def _correlations(store: Store, study: Study, votes: Sequence[StandingVote]) -> tuple[list[Figure], list[Points]]:
    aspects: tuple[Asks, ...] = ("both",) if study.kind == "ab" else ASPECTS
    found: list[Figure] = []
    points: list[Points] = []
    known = metrics(store, study, aspects)
    if not known:
        note = "no picture of this study has verdicts or scores; make them with: lorarar judge run"
        return [Figure("correlation", "", "people and metrics", None, note=note)], []
    for aspect in aspects:
        ratings = _ratings(study, votes, _value(study, aspect))
        numbers = list(dict.fromkeys(vote.item for vote in votes))
        of_aspect = [metric for metric in known if metric.aspect == aspect]
        scores = [np.array([_score(study, metric, number) for number in numbers]) for metric in of_aspect]
        for metric, values in zip(of_aspect, scores, strict=True):
            found += _against(study, ratings, metric, values)
            points.append(_points(study, ratings, metric, numbers, values))
        for one, two in combinations(range(len(of_aspect)), 2):
            if of_aspect[one].binary and not of_aspect[two].binary and one == 0:
                found.append(_compared(study, ratings, of_aspect[one], of_aspect[two], scores[one], scores[two]))
    return found, points


def _coefficients(study: Study, metric: Metric) -> dict[str, Coefficient]:
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


def _against(study: Study, ratings: Ratings, metric: Metric, scores: Floats) -> list[Figure]:
    said, wanted = _said(study, metric), _coefficients(study, metric)
    try:
        done = correlate(ratings, scores, wanted)
    except UndefinedError as error:
        note = BEST if metric.name == MARS2 and study.scenario == "best" else str(error)
        return [Figure("correlation", said, next(iter(wanted)), None, n=int(np.isfinite(scores).sum()), note=note)]
    return [
        Figure("correlation", said, name, None, n=done.items, note=value)
        if isinstance(value, str)
        else _figure("correlation", said, name, value, done.items)
        for name, value in done.values.items()
    ]


def _compared(study: Study, ratings: Ratings, one: Metric, two: Metric, first: Floats, second: Floats) -> Figure:
    said = f"{_said(study, one)} minus {_said(study, two)}"
    both = int((np.isfinite(first) & np.isfinite(second)).sum())
    return _interval("correlation", said, "difference of r", both, lambda: difference(ratings, first, second))


def _points(study: Study, ratings: Ratings, metric: Metric, numbers: Sequence[int], scores: Floats) -> Points:
    kept = [at for at in range(len(numbers)) if np.isfinite(scores[at])]
    people = ratings.item_means()
    origins = [study.origins[numbers[at]] for at in kept]
    return Points(
        metric.name,
        metric.by,
        metric.aspect,
        tuple(f"{origin.subject} in {origin.style}" for origin in origins),
        tuple(float(people[at]) for at in kept),
        tuple(float(scores[at]) for at in kept),
    )


def _score(study: Study, metric: Metric, number: int) -> float:
    """A metric's score of an item: of its picture, or of the first method's minus the second's."""
    origin = study.origins[number]
    by_method = {source.method: metric.score(source.image, origin) for source in origin.sources}
    values = [by_method[method] for method in study.methods if method in by_method]
    if None in values:
        return float("nan")
    known = [value for value in values if value is not None]
    return known[0] - known[1] if study.kind == "ab" else known[0]


def _said(study: Study, metric: Metric) -> str:
    names = {MARS2: "MARS2", "clip-i": "CLIP-I", "clip-t": "CLIP-T", "dino": "DINO"}
    aspect = "" if study.kind == "ab" else f", {'subject and style' if metric.aspect == 'both' else metric.aspect}"
    return f"{names[metric.name]} ({metric.by}){aspect}"


def _value(study: Study, aspect: str) -> Callable[[StandingVote], float]:
    """What a vote is worth: towards the method named first, or a yes."""
    if study.kind == "ab":
        return lambda vote: _toward(study, vote, study.methods)
    return lambda vote: float(vote.shows(aspect))


def _methods(study: Study, vote: StandingVote) -> tuple[str, ...]:
    return tuple(source.method for source in study.origins[vote.item].sources)


def _toward(study: Study, vote: StandingVote, methods: Sequence[str]) -> float:
    """+1 where the vote is for the method that is named first."""
    one, two = _methods(study, vote)
    return vote.leaning * (1 if methods.index(one) < methods.index(two) else -1)


def _ratings(study: Study, votes: Sequence[StandingVote], value: Callable[[StandingVote], float]) -> Ratings:
    def cell(vote: StandingVote) -> tuple[str, str]:
        origin = study.origins[vote.item]
        return origin.subject, origin.style

    return Ratings.of([(float(value(vote)), vote.item, vote.rater, cell(vote)) for vote in votes])


def _mean(ratings: Ratings) -> Interval:
    return crossed(ratings, weighted_mean(ratings.values))


def _figure(section: str, of: str, name: str, value: Interval, n: int) -> Figure:
    return Figure(section, of, name, value.value, value.low, value.high, n)


def _interval(section: str, of: str, name: str, n: int, make: Callable[[], Interval]) -> Figure:
    try:
        return _figure(section, of, name, make(), n)
    except UndefinedError as error:
        return Figure(section, of, name, None, n=n, note=str(error))
