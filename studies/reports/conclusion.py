"""The first line of a report: what came out, in words, by the figure that was named before anybody voted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

from lorarar.util.formatting import bounds, count, number
from lorarar.util.statistics.crossed import least_chance
from studies.figures import ASPECT_TITLES, SIMULATED, Figure, metric_title
from studies.reports.outcomes import EQUIVALENCE, MARGIN_TEST, SIGN_TEST
from studies.reports.standing_votes import StandingVote
from studies.statistics.crossed import ONE_RATER
from studies.store import Study

CLAIMED = 0.05  # p of a test below which it shows something

#: What came out by one figure, a clause for each method or two of them.
Clauses = Callable[[Study, Sequence[Figure]], Iterator[str]]


def conclusion(study: Study, votes: Sequence[StandingVote], figures: Sequence[Figure], simulated: bool) -> Figure:
    """What came out.

    Args:
        study: the study.
        votes: those that are reported on.
        figures: the report's.
        simulated: whether the raters are simulated, which the sentence then begins with.
    """
    primary = study.rules.primary
    clauses = list(CLAUSES.get(primary, _metric if primary else CLAUSES[DEFAULT[study.kind]])(study, figures))
    if not clauses:
        clauses = [f"nothing is shown of {primary}", *CLAUSES[DEFAULT[study.kind]](study, figures)]
    plain = [vote for vote in votes if vote.purpose == "plain"]
    pairs = {(study.origins[vote.item].subject, study.origins[vote.item].style) for vote in plain}
    raters = {vote.rater for vote in plain}
    over = f"over {count(len(pairs), 'pair')} and {count(len(raters), 'rater')}"
    over = f" {over}" if len(clauses) == 1 else f"; all {over}"
    if len(raters) == 1:
        over += f"; {ONE_RATER}"
    mark = f"{SIMULATED[0].upper()}{SIMULATED[1:]}: " if simulated else ""
    note = f"by the figure that was named before voting: {primary}" if primary else ""
    return Figure("conclusion", "", "what came out", f"{mark}{'; '.join(clauses)}{over}", note=note)


def _preferences(study: Study, figures: Sequence[Figure]) -> Iterator[str]:
    """Of every two methods, which is preferred: by its interval, and among several tests by the adjusted p."""
    for one, two in combinations(study.methods, 2):
        of_pair = _outcomes(figures, one, two)
        preference = of_pair.get("preference")
        if preference is None or not isinstance(preference.value, float):
            yield f"nothing is shown of {one} and {two}{_why(preference)}"
            continue
        side = _side(preference)
        doubt = _doubt(of_pair) if side else ""
        if side < 0 and not doubt:
            yield f"{two} is preferred to {one}: {_words(_turned(preference))}"
        else:
            words = "is preferred" if side > 0 and not doubt else "is not shown to be preferred"
            yield f"{one} {words} to {two}: {_words(preference)}{doubt}"
        yield from _equivalence(of_pair, differ=bool(side) and not doubt)


def _doubt(of_pair: Mapping[str, Figure]) -> str:
    """Why an interval on one side of 0 shows no preference: there are more tests, or pairs are too few for any."""
    adjusted = _of(of_pair, f"{SIGN_TEST}, Holm-adjusted")
    if adjusted is not None and adjusted >= CLAIMED:
        return f", sign test p {adjusted:.2g} adjusted for all comparisons"
    leaning = of_pair[SIGN_TEST].n if SIGN_TEST in of_pair else None
    if leaning is not None and least_chance(leaning) >= CLAIMED:
        return f" (of {count(leaning, 'pair')} that lean to a side nothing can be told from chance)"
    return ""


def _outcomes(figures: Sequence[Figure], one: str, two: str) -> dict[str, Figure]:
    """What is said of two methods, by name."""
    return {
        figure.name: figure for figure in figures if (figure.section, figure.of) == ("outcomes", f"{one} against {two}")
    }


def _equivalence(of_pair: Mapping[str, Figure], *, differ: bool = False) -> Iterator[str]:
    """Whether two methods are equivalent, where the study has a margin; of two that differ only if they are."""
    chance = _chance(of_pair, EQUIVALENCE)
    if chance is not None and (chance < CLAIMED or not differ):
        yield f"they are {'' if chance < CLAIMED else 'not shown to be '}equivalent by the margin, p {chance:.2g}"


def _comparable(study: Study, figures: Sequence[Figure]) -> Iterator[str]:
    """Of the method named first, how often it is comparable to each other or better."""
    first, margin = study.methods[0], study.rules.margin
    for other in study.methods[1:]:
        of_pair = _outcomes(figures, first, other)
        figure = of_pair.get(f"{first} comparable or better")
        if figure is None or figure.value is None:
            yield f"nothing is shown of {first} and {other}{_why(figure)}"
            continue
        yield f"{first} is comparable to {other} or better in {_words(figure)} of the votes"
        chance = _chance(of_pair, MARGIN_TEST)
        if margin is not None and chance is not None:
            words = "shown" if chance < CLAIMED else "not shown"
            yield f"more than the margin of {margin:.0%} is {words}, p {chance:.2g}"
        yield from _equivalence(of_pair)


def _shares(study: Study, figures: Sequence[Figure]) -> Iterator[str]:
    """How often people say that each method's pictures show subject and style."""
    for method in study.methods:
        for figure in figures:
            if (figure.section, figure.of, figure.name) == ("outcomes", method, ASPECT_TITLES["both"]):
                yield (
                    f"{method} shows subject and style in {_words(figure)} of the votes"
                    if figure.value is not None
                    else f"nothing is shown of {method}{_why(figure)}"
                )


def _metric(study: Study, figures: Sequence[Figure]) -> Iterator[str]:
    """Whether a metric agrees with people; of several judges or backbones, each."""
    title = metric_title(study.rules.primary)
    whole = "" if study.kind == "ab" else f", {ASPECT_TITLES['both']}"
    for figure in figures:
        by = figure.of.removesuffix(whole).removeprefix(title)
        of_metric = figure.section == "correlation" and figure.of == f"{title}{by}{whole}" and by.startswith(" (")
        if not of_metric or figure.name not in ("Pearson r", "point-biserial r"):
            continue
        if figure.value is None:
            yield f"nothing is shown of {title}{by}{_why(figure)}"
            continue
        words = {1: "agrees with people", -1: "disagrees with people", 0: "is not shown to agree with people"}
        yield f"{title}{by} {words[_side(figure)]}: r {_words(figure)}"


def _side(figure: Figure) -> int:
    """On which side of 0 the whole interval lies; 0 where it lies on both, or there is none."""
    low, high = figure.low, figure.high
    return int(low is not None and low > 0) - int(high is not None and high < 0)


def _turned(figure: Figure) -> Figure:
    """A difference from the other side."""
    low, high = (None if end is None else -end for end in (figure.high, figure.low))
    return Figure(figure.section, figure.of, figure.name, -float(figure.value or 0), low, high)


def _words(figure: Figure) -> str:
    """A value with its interval: ``0.21 (0.08 to 0.34)``."""
    value = number(float(figure.value or 0))
    if figure.low is None or figure.high is None:
        return f"{value} (no interval)"
    return f"{value} ({bounds(figure.low, figure.high)})"


def _why(figure: Figure | None) -> str:
    return f" ({figure.note})" if figure and figure.note else ""


def _chance(of_pair: Mapping[str, Figure], test: str) -> float | None:
    """The p of a test, adjusted for all of its kind where there are several."""
    adjusted = _of(of_pair, f"{test}, Holm-adjusted")
    return _of(of_pair, test) if adjusted is None else adjusted


def _of(figures: Mapping[str, Figure], name: str) -> float | None:
    value = figures[name].value if name in figures else None
    return value if isinstance(value, float) else None


#: What can be named as the primary figure; any other name is a metric's.
CLAUSES: Mapping[str, Clauses] = {"preference": _preferences, "comparable": _comparable, "shown": _shares}
DEFAULT = {"ab": "preference", "absolute": "shown"}  # in studies that name none
