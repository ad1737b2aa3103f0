"""How often intervals hold what they say: simulated grids whose truth is known, at sizes and spreads of real ones.

A grid has subjects, styles and ten pictures a pair; the chance that a picture is correct has an effect of its subject,
one of its style and one of the pair, normal in log odds. An interval covers where the mean over all subjects and styles
there could be lies in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.page import section, table
from judge.reports.comparison import compare_all
from judge.reports.groups import Name, Verdicts, make_groups
from lorarar.util.statistics.bootstrap import Interval, bootstrap
from lorarar.util.statistics.crossed import Floats, over_pairs

PICTURES = 10  # of a pair
LEVEL = -1.0  # mean log odds of a correct picture
GRIDS = 500  # simulated for every line of the table
RIVALS = 100  # simulated grids of several methods, which take longer
SIZES = ((2, 2), (3, 3), (2, 8), (5, 5), (10, 10), (20, 20))
SPREADS = ((0.0, 0.0, 1.5), (0.7, 0.7, 1.0), (1.0, 1.0, 1.0), (1.5, 1.5, 0.5))


@dataclass(frozen=True)
class Spread:
    """Standard deviations of the effects of subjects, styles and pairs, in log odds."""

    subject: float
    style: float
    pair: float

    @property
    def whole(self) -> float:
        """The standard deviation of all effects together."""
        return float(np.sqrt(self.subject**2 + self.style**2 + self.pair**2))


@dataclass(frozen=True)
class Coverage:
    """The shares of intervals that hold the truth, which should be 0.95."""

    pairs: float  # pairs drawn anew as if they were independent
    crossed: float  # subjects and styles drawn anew


def run(quick: bool = False) -> str:
    """Simulate and describe."""
    grids, rivals = (20, 4) if quick else (GRIDS, RIVALS)
    rows = []
    for subjects, styles in SIZES:
        for spread in SPREADS:
            shares = coverage(subjects, styles, Spread(*spread), grids)
            spreads = ", ".join(f"{deviation:g}" for deviation in spread)
            rows.append((f"{subjects} x {styles}", spreads, f"{shares.pairs:.1%}", f"{shares.crossed:.1%}"))
    head = ("subjects x styles", "sd of subject, style, pair", "pairs drawn anew", "subjects and styles drawn anew")
    claims = [
        (f"{methods}", f"{false_claims(methods, 5, 5, Spread(1.0, 1.0, 1.0), rivals):.1%}") for methods in (2, 4, 8)
    ]
    return section(
        "Intervals",
        f"How often a 95 % interval of the average case holds the truth, in {grids:,} simulated grids a line.",
        table(head, rows),
        f"How often any two of several methods are told apart that are equally good (5 x 5, {rivals} grids).",
        table(("methods", "told apart"), claims),
    )


def coverage(subjects: int, styles: int, spread: Spread, grids: int, seed: int = 1) -> Coverage:
    """The shares of ``grids`` simulated grids whose intervals hold the truth."""
    generator, truth = np.random.default_rng(seed), true_mean(spread)
    alone = crossed = 0
    for _ in range(grids):
        shares = generator.binomial(PICTURES, chances(generator, subjects, styles, spread)) / PICTURES
        alone += _holds(bootstrap(shares.ravel().tolist()), truth)
        crossed += _holds(over_pairs(dict(_named(shares))), truth)
    return Coverage(alone / grids, crossed / grids)


def false_claims(methods: int, subjects: int, styles: int, spread: Spread, grids: int, seed: int = 1) -> float:
    """The share of grids in which any two methods are told apart; each has effects of its own from one spread."""
    generator, claims = np.random.default_rng(seed), 0
    for _ in range(grids):
        verdicts: dict[Name, Verdicts] = {
            (str(method),): {
                pair: [(bool(correct), True) for correct in generator.random(PICTURES) < chance]
                for pair, chance in _named(chances(generator, subjects, styles, spread))
            }
            for method in range(methods)
        }
        claims += any(one.ahead or one.behind for one in compare_all(make_groups(verdicts)))
    return claims / grids


def chances(generator: np.random.Generator, subjects: int, styles: int, spread: Spread) -> Floats:
    """Chances of a correct picture (subjects, styles) of a grid."""
    odds = LEVEL + spread.subject * generator.normal(size=(subjects, 1))
    odds = odds + spread.style * generator.normal(size=(1, styles))
    odds = odds + spread.pair * generator.normal(size=(subjects, styles))
    return np.asarray(1 / (1 + np.exp(-odds)))


def true_mean(spread: Spread) -> float:
    """The mean chance over all subjects, styles and pairs there could be, by quadrature."""
    points, weights = np.polynomial.hermite_e.hermegauss(80)
    return float(weights @ (1 / (1 + np.exp(-LEVEL - spread.whole * points))) / weights.sum())


def _named(table_of_pairs: Floats) -> Iterator[tuple[tuple[str, str], float]]:
    """The entries of a table (subjects, styles) under the names of their pairs."""
    return (((str(row), str(column)), float(value)) for (row, column), value in np.ndenumerate(table_of_pairs))


def _holds(interval: Interval, truth: float) -> bool:
    return interval.low is not None and interval.high is not None and interval.low <= truth <= interval.high
