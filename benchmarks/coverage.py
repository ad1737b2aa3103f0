"""How often the intervals of a study's report hold the truth, of simulated studies of many sizes.

An interval that is refused counts neither way; how many there are stands beside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from benchmarks.page import section, table
from benchmarks.simulated import MAJORITY, POPULATIONS, Size, Votes, coefficients_of, simulate, true_values, true_wins
from lorarar.util.statistics.estimate import Estimate
from lorarar.util.statistics.holm import holm
from lorarar.util.statistics.undefined import UndefinedError
from studies.statistics.agreement import alpha
from studies.statistics.correlation import corrected, correlate, difference
from studies.statistics.crossed import crossed_mean
from studies.statistics.draws import Draws, drawn_by
from studies.statistics.outcomes import equivalence, outcomes, sign_test
from studies.statistics.ratings import Ints, Ratings
from studies.statistics.reliability import intraclass, reliability
from studies.statistics.strengths import method_strengths

STUDIES, RIVALS, RESAMPLES = 400, 200, 1000  # simulated for every column of the table; of several methods

Figures = dict[str, Estimate]


AB = (Size(25, 25), Size(25, 5), Size(50, 12), Size(10, 10), Size(25, 12, missing=0.3), Size(25, 25, effect=4.5))
ABSOLUTE = (Size(25, 25, kind="absolute"), Size(50, 12, kind="absolute"), Size(25, 5, kind="absolute"))


def run(quick: bool = False) -> str:
    """Simulate and describe."""
    studies, rivals, populations = (6, 4, 2) if quick else (STUDIES, RIVALS, POPULATIONS)
    with drawn_by(Draws(200 if quick else RESAMPLES)):
        parts = [_table(sizes, studies, populations) for sizes in (AB, ABSOLUTE)]
        several = [(str(methods), *rivals_of(methods, rivals).words) for methods in (2, 3, 4)]
        equal = false_equivalence(rivals)
    head = ("methods", "a sign test below 0.05", "with Holm", "a strength outside", "a difference below 0.05, Holm")
    return section(
        "Intervals of studies",
        f"Shares of {studies} simulated studies whose 95 % interval holds the truth, by items x raters; in brackets "
        "the share without an interval, if any.",
        *parts,
        f"Shares of {rivals} studies of equal methods (25 items x 10 raters) that find any difference.",
        table(head, several),
        f"Two methods whose shares of comparable or better are the margin are called equivalent in {equal:.1%}.",
    )


def _table(sizes: tuple[Size, ...], studies: int, populations: int) -> str:
    columns = {size: coverage(size, studies, populations) for size in sizes}
    names = list(dict.fromkeys(name for of in columns.values() for name in of))
    rows = [(name, *(columns[size].get(name, "") for size in sizes)) for name in names]
    return table(("figure", *(size.words for size in sizes)), [[str(cell) for cell in row] for row in rows])


@dataclass(frozen=True)
class Rivals:
    """Shares of studies of equal methods that find any difference."""

    sign_test: float  # a p below 0.05
    with_holm: float
    strength: float  # whose interval leaves 0 out
    contrast: float  # whose p, adjusted, is below 0.05

    @property
    def words(self) -> list[str]:
        """The shares in percent."""
        return [f"{share:.1%}" for share in (self.sign_test, self.with_holm, self.strength, self.contrast)]


@dataclass(frozen=True)
class Held:
    """How often a figure's interval held the truth."""

    held: int
    intervals: int
    studies: int

    @property
    def share(self) -> float:
        """Of the intervals."""
        return self.held / self.intervals if self.intervals else float("nan")

    def __str__(self) -> str:
        missing = 1 - self.intervals / self.studies
        return f"{self.share:.1%}" + (f" ({missing:.0%} none)" if missing else "")


def coverage(size: Size, studies: int, populations: int = POPULATIONS, seed: int = 1) -> dict[str, Held]:
    """How often each figure's interval holds the truth in simulated studies of a size."""
    generator = np.random.default_rng(seed)
    truth = true_values(generator, size, populations)
    of_all = [figures(simulate(generator, size), size.kind) for _ in range(studies)]
    shares = {}
    for name, value in truth.items():
        estimates = [of[name] for of in of_all if name in of and of[name].low is not None]
        held = sum((one.low or 0.0) <= value <= (one.high or 0.0) for one in estimates)
        shares[name] = Held(held, len(estimates), studies)
    return shares


def figures(votes: Votes, kind: str) -> Figures:
    """The figures of a report that are defined, by name."""
    ratings, good = votes.ratings, votes.good
    result: Figures = {}

    def add(of: Callable[[], Mapping[str, Estimate | str]]) -> None:
        try:
            result.update({name: one for name, one in of().items() if isinstance(one, Estimate)})
        except UndefinedError:
            return

    if kind == "ab":
        shares = outcomes(ratings)
        add(lambda: {"wins": shares.wins, "comparable or better": shares.comparable_or_better})
        add(lambda: {"preference": shares.preference})
        add(lambda: _odds(ratings))
        add(lambda: {"alpha, ordinal": alpha(ratings, "ordinal")})
    else:
        add(lambda: {"share of yes": crossed_mean(ratings)})
    add(lambda: {"alpha, nominal": alpha(ratings, "nominal")})
    add(lambda: {"ICC(1,k)": intraclass(ratings)})
    add(lambda: _reliable(ratings))
    add(lambda: {"r with infinitely many raters": corrected(ratings, good, reliability(ratings))})
    add(lambda: correlate(ratings, good, coefficients_of(kind)).values)
    if kind == "absolute":
        add(lambda: correlate(ratings, (good > 0).astype(float), MAJORITY).values)
    add(lambda: {"difference of r": difference(ratings, good, votes.bad)})
    return result


def _odds(ratings: Ratings) -> Figures:
    result = method_strengths(ratings, _of_two(ratings), 2)
    return {"log odds": result.contrasts[0, 1].estimate, "nu": result.nu}


def _of_two(ratings: Ratings) -> Ints:
    return np.tile([0, 1], (len(ratings.values), 1))


def _reliable(ratings: Ratings) -> Figures:
    result = reliability(ratings)
    return {
        "one rater against the others": result.one_against_others,
        "Spearman-Brown": result.of_mean,
        "human ceiling": result.ceiling,
    }


def rivals_of(methods: int, studies: int, items: int = 25, raters: int = 10, seed: int = 2) -> Rivals:
    """How often studies of equal methods find a difference somewhere; ``items`` of every two, each of a pair."""
    generator = np.random.default_rng(seed)
    pairs = list(combinations(range(methods), 2))
    finds = np.zeros(4)
    for _ in range(studies):
        votes = simulate(generator, Size(items * len(pairs), raters, effect=0.0)).ratings
        ratings = replace(votes, cells=np.arange(votes.item_count) % items)
        of_pair = ratings.items // items
        result = method_strengths(ratings, np.array(pairs)[of_pair], methods)
        ps = {at: sign_test(_of_items(votes, of_pair == at)).p for at in range(len(pairs))}
        finds += [
            min(ps.values()) < 0.05,
            min(holm(ps).values()) < 0.05,
            any((one.low or 0.0) > 0 or (one.high or 0.0) < 0 for one in result.strengths),
            any(one.adjusted < 0.05 for one in result.contrasts.values()),
        ]
    return Rivals(*(finds / studies))


def _of_items(ratings: Ratings, chosen: NDArray[np.bool_]) -> Ratings:
    """The chosen votes alone, each item a pair of its own."""
    of = ratings.items[chosen]
    return Ratings.of(list(zip(ratings.values[chosen], of, ratings.raters[chosen], of, strict=True)))


def false_equivalence(studies: int, seed: int = 3) -> float:
    """The share of studies called equivalent where the worse method's share of comparable or better is the margin."""
    generator, size = np.random.default_rng(seed), Size(25, 25)
    margin = 1 - true_wins(generator, size)
    ps = [equivalence(simulate(generator, size).ratings, margin).p for _ in range(studies)]
    return float(np.mean(np.array(ps) < 0.05))
