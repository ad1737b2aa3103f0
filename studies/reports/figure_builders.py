"""Building blocks of every section of a report, from votes to figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isinf

from lorarar.util.statistics.estimate import Estimate
from lorarar.util.statistics.undefined import UndefinedError
from studies.figures import Figure
from studies.reports.standing_votes import StandingVote, toward_first
from studies.statistics.crossed import crossed_mean
from studies.statistics.ratings import Ratings
from studies.store import Study

Value = Callable[[StandingVote], float]


def ratings_of(study: Study, votes: Sequence[StandingVote], value: Value) -> Ratings:
    """The value of every vote, with its item, its rater and the item's cell.

    Raises:
        UndefinedError: there are no votes.
    """
    cells = [(origin.subject, origin.style) for origin in study.origins]
    return Ratings.of([(float(value(vote)), vote.item, vote.rater, cells[vote.item]) for vote in votes])


def value_for(study: Study, aspect: str) -> Value:
    """Return the value of a vote: from -1 to 1 toward the method named first, or 1 for a yes to the aspect."""
    if study.kind == "ab":
        return lambda vote: toward_first(study, vote)
    return lambda vote: float(vote.shows(aspect))


def mean(ratings: Ratings) -> Estimate:
    """The mean of the votes' values, which are 0 or 1."""
    return crossed_mean(ratings)


def figure_of(
    section: str,
    of: str,
    name: str,
    value: Estimate,
    *,
    n: int,
    counted: str,
    key: str | None = None,
    note: str = "",
    scale: tuple[float, float] | None = None,
) -> Figure:
    """A figure with its interval, and what ``n`` counts: an end without a bound is left out, and the note says so."""
    low, high = (None if end is None or isinf(end) else end for end in (value.low, value.high))
    notes = (note, value.note, _without_bound(value))
    return Figure(
        section=section,
        of=of,
        name=name,
        value=value.value,
        low=low,
        high=high,
        n=n,
        counted=counted,
        note="; ".join(filter(None, notes)),
        key=key,
        least=scale[0] if scale else None,
        most=scale[1] if scale else None,
    )


def _without_bound(value: Estimate) -> str:
    """Which ends of an interval are infinite, in words."""
    if value.low is None or value.high is None:
        return ""
    ends = [name for name, end in (("lower", value.low), ("upper", value.high)) if isinf(end)]
    return f"no {' and no '.join(ends)} bound" if ends else ""


def undefined(
    section: str, of: str, name: str, note: str, *, n: int | None = None, counted: str = "", key: str | None = None
) -> Figure:
    """A figure that the votes do not define, with the reason."""
    return Figure(section=section, of=of, name=name, value=None, n=n, counted=counted, note=note, key=key)


def measured_figure(
    section: str, of: str, name: str, measure: Callable[[], Estimate], *, n: int, counted: str, key: str | None = None
) -> Figure:
    """The figure that ``measure`` returns, or the reason why it is not defined."""
    try:
        return figure_of(section, of, name, measure(), n=n, counted=counted, key=key)
    except UndefinedError as error:
        return undefined(section, of, name, str(error), n=n, counted=counted, key=key)


def p_figure(
    section: str, of: str, name: str, p: float, *, n: int | None = None, counted: str = "", note: str = ""
) -> Figure:
    """The p of a test, which has no interval."""
    return Figure(section=section, of=of, name=name, value=p, n=n, counted=counted, note=note)
