"""Whether a method works: only where it beats each of its rivals, the plain rows than which it may be worth no more.

Which rows those are is said by what made them (``lorarar.merging.methods.rivals``). Beside the average case stand the
metrics against true pictures, where there are any: what pleases a judge alone shows there.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from judge.metrics.table import METRICS
from lorarar.merging.methods.rivals import FEWEST, RowMakings, how_to_add, rows_of
from lorarar.store.queries import Pair, merges_of_rows
from lorarar.util.formatting import in_words, interval
from lorarar.util.grouping import group_by
from lorarar.util.statistics.crossed import Difference, difference_over_pairs
from lorarar.util.statistics.holm import APART, holm
from lorarar.util.text import one_line

if TYPE_CHECKING:
    from judge.reports.groups import Group
    from lorarar.merging.methods.method import Rival
    from lorarar.store.queries import Collection

Shares = Mapping[str, Mapping[Pair, float]]  # of a row's pairs, by row
MetricValues = Mapping[str, Shares]  # the same of metrics, by name


@dataclass(frozen=True)
class Beside:
    """A method's row beside one row of a rival."""

    title: str  # the rival's
    row: str
    difference: Difference | None  # of the average case, pair by pair; None where they have no pair in common
    metrics: Mapping[str, Difference]  # of the metrics against true pictures

    @property
    def ahead(self) -> bool:
        """Whether the average case is above the rival's, and its interval leaves zero out."""
        return leans(self.difference) > 0

    def gain(self, metric: str) -> int:
        """Whether a metric is better (1) than the rival's, worse (-1), or neither (0)."""
        direction = 1 if METRICS[metric].higher_is_better else -1
        return direction * leans(self.metrics.get(metric))

    @property
    def words(self) -> str:
        """What came out beside this row."""
        what, size = f"{self.title} ({self.row})", interval(self.difference, signed=True)
        match leans(self.difference):
            case 1:
                return f"ahead of {what} by {interval(self.difference)}"
            case -1 if self.difference:
                return f"behind {what} by {interval(self.difference.negative)}"
        return f"not told apart from {what}, " + (f"a difference of {size}" if size else "with no pair in common")

    def record(self) -> dict[str, Any]:
        """The comparison as JSON has it."""
        figures = asdict(self.difference) if self.difference else dict.fromkeys(("value", "low", "high", "p"))
        metrics = {name: asdict(difference) for name, difference in self.metrics.items()}
        return {"rival": self.title, "row": self.row, "ahead": self.ahead, **figures, "metrics": metrics}


@dataclass(frozen=True)
class Contest:
    """Whether a method's row works."""

    method: str
    beside: Sequence[Beside]
    missing: Mapping[str, str]  # rivals that are not in the table, with what would add them
    p: float | None = None  # the largest of all, adjusted over all such rows of the table; None where one has none

    @property
    def is_ahead(self) -> bool:
        """Whether it is ahead of every rival that there is, each taken alone."""
        return bool(self.beside) and all(one.ahead for one in self.beside)

    @property
    def works(self) -> bool | None:
        """Whether it works; None where that cannot be said, since a rival is not there."""
        if self.missing and (self.is_ahead or not self.beside):
            return None
        return self.is_ahead and self.p is not None and self.p < APART

    @property
    def sentence(self) -> str:
        """What came of it, in a sentence."""
        words = in_words([one.words for one in self.beside])
        missing = "; ".join(f"no row of the table is {title}: {how}" for title, how in self.missing.items())
        if self.works is None:
            start = f"Whether {self.method} works cannot be said"
            return f"{start}: {'; '.join(filter(None, (missing, words and f'it is {words}')))}"
        if self.works:
            return f"{self.method} works: it is {words}{self._truth(' but')}"
        if self.is_ahead and self.p is not None:
            words += f", but not when all such rows are allowed for (p {self.p:.3f})"
        sentence = f"That {self.method} works is not shown: it is {words}{self._truth('')}"
        return f"{sentence}; {missing}" if missing else sentence

    def _truth(self, but: str) -> str:
        """What the metrics against true pictures say where they are worse, or better."""
        clauses = []
        for gain, word, start in ((-1, "worse", but), (1, "better", "")):
            differences = [
                f"{METRICS[name].title} is {word} than {one.row}'s by {_size(difference, METRICS[name].places)}"
                for one in self.beside
                for name, difference in one.metrics.items()
                if one.gain(name) == gain
            ]
            clauses += [f";{start} {in_words(differences)}"] if differences else []
        return "".join(clauses)

    def record(self) -> dict[str, Any]:
        """The contest as JSON has it."""
        return {
            "method": self.method,
            "works": self.works,
            "sentence": self.sentence,
            "p": self.p,
            "missing": dict(self.missing),
            "beside": [one.record() for one in self.beside],
        }

    @property
    def line(self) -> str:
        """The sentence as a line of a report."""
        return one_line(f"{self.sentence}.")


def leans(difference: Difference | None) -> int:
    """On which side of zero a difference lies with its whole interval (1 or -1), by more than few pairs give by chance.

    Interval and p are of the same resamples, but a p is never below what the number of pairs allows.
    """
    if difference is None or difference.low is None or difference.high is None or difference.p is None:
        return 0
    if difference.p >= APART or difference.low <= 0 <= difference.high:
        return 0
    return 1 if difference.value > 0 else -1


def contests_of(
    rows: Mapping[str, RowMakings], prompts: Mapping[str, set[tuple[Pair, str]]], shares: Shares, metrics: MetricValues
) -> list[Contest]:
    """What can be said of each row whose method has rivals.

    Args:
        rows: how each row was made.
        prompts: of each row, its pairs with what they were drawn from; rivals answer to the same prompts.
        shares: of correct pictures, of each row's pairs.
        metrics: against true pictures, one value a pair.
    """
    contests = []
    for name, makings in rows.items():
        others = {one: made for one, made in rows.items() if one != name and prompts[one] & prompts[name]}
        if makings.rivals and shares.get(name):
            contests.append(_contest(name, makings, others, shares, metrics))
    return _adjusted(contests)


def _contest(
    name: str, makings: RowMakings, others: Mapping[str, RowMakings], shares: Shares, metrics: MetricValues
) -> Contest:
    beside, missing = list[Beside](), dict[str, str]()
    for rival in makings.rivals:
        there = rows_of(rival, makings, others)
        beside += [_beside(rival, name, other, shares, metrics) for other in there]
        if len(there) < (FEWEST if makings.is_beaten_by_all(rival) else 1):
            missing[rival.title] = how_to_add(rival, makings)
    chances = [one.difference.p if one.difference else None for one in beside]
    sound = [chance for chance in chances if chance is not None]
    return Contest(name, beside, missing, max(sound) if sound and len(sound) == len(chances) else None)


def _beside(rival: Rival, name: str, other: str, shares: Shares, metrics: MetricValues) -> Beside:
    of_metrics = {
        metric: difference
        for metric, values in metrics.items()
        if (difference := difference_over_pairs(values.get(name, {}), values.get(other, {})))
    }
    return Beside(rival.title, other, difference_over_pairs(shares[name], shares.get(other, {})), of_metrics)


def _adjusted(contests: Sequence[Contest]) -> list[Contest]:
    """The contests with their p adjusted over all of one table: the best of many networks is flattered."""
    adjusted = holm({at: contest.p for at, contest in enumerate(contests) if contest.p is not None})
    return [replace(contest, p=adjusted.get(at)) for at, contest in enumerate(contests)]


def _size(difference: Difference, places: int) -> str:
    """A difference in words without its sign."""
    return interval(difference if difference.value >= 0 else difference.negative, places)


class Entrant(NamedTuple):
    """A picture of a report, as contests need it."""

    row: str
    pair: Pair
    prompt: str


def contests_among(
    rows: Mapping[str, RowMakings],
    pictures: Sequence[Entrant],
    methods: Sequence[Group],
    scores: Mapping[str, Sequence[float | None]],
) -> list[Contest]:
    """What can be said of the methods of a report.

    Args:
        rows: how the rows of its collection were made.
        pictures: of the collection, those that the report is of.
        methods: their figures by method.
        scores: of these pictures, by metric.
    """
    prompts = {row: {(one.pair, one.prompt) for one in own} for row, own in group_by(pictures, _row).items()}
    return contests_of(
        {row: made for row, made in rows.items() if row in prompts},
        prompts,
        {group.name[0]: group.shares for group in methods},
        {
            name: _by_row(pictures, values, quadratic=METRICS[name].quadratic)
            for name, values in scores.items()
            if METRICS[name].against == "truth"
        },
    )


def row_makings(database: sqlite3.Connection, collection: Collection) -> dict[str, RowMakings]:
    """How the rows of a collection were made; of one whose pictures were made in several ways nothing is said."""
    ways = group_by(merges_of_rows(database, collection), lambda merge: merge[0])
    return {row: RowMakings(own[0][1], _options(own[0][2]), own[0][3]) for row, own in ways.items() if len(own) == 1}


def _options(text: str) -> dict[str, Any]:
    """The options of a merge; none where they are damaged."""
    try:
        options = json.loads(text)
    except ValueError:
        return {}
    return options if isinstance(options, dict) else {}


def _row(entrant: Entrant) -> str:
    return entrant.row


def _by_row(pictures: Sequence[Entrant], values: Sequence[float | None], *, quadratic: bool) -> Shares:
    """A metric's value in each pair of each row, a root mean square where it is ``quadratic``."""
    of_pairs: dict[str, dict[Pair, list[float]]] = {}
    for entrant, value in zip(pictures, values, strict=True):
        if value is not None:
            of_pairs.setdefault(entrant.row, {}).setdefault(entrant.pair, []).append(value)
    return {row: {pair: _mean(own, quadratic) for pair, own in pairs.items()} for row, pairs in of_pairs.items()}


def _mean(values: Sequence[float], quadratic: bool) -> float:
    return (sum(v**2 for v in values) / len(values)) ** 0.5 if quadratic else sum(values) / len(values)
