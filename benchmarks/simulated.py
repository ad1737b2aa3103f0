"""Simulated studies of which the truth is known: votes, two metrics, and each figure's value without any chance.

Votes follow Davidson's model, or a yes or no by log odds; items and raters have normal effects in log odds. The truth
is each figure's value in studies of very many items.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from lorarar.util.statistics.agreement import krippendorff_alpha, value_counts
from lorarar.util.statistics.correlation import pearson, spearman
from studies.statistics import coefficients
from studies.statistics.ratings import Floats, Ratings
from studies.statistics.reliability import spearman_brown

LARGE, POPULATIONS = 1500, 60  # items of a study whose figures are the truth, and how many such studies
ITEM, RATER, TIES = 0.75, 0.25, 1.0  # standard deviations in log odds; Davidson's nu
NOISE, MORE_NOISE = 0.6, 1.5  # of two metrics, beside an item's quality of standard deviation 0.75
MAJORITY = {"phi": coefficients.phi, "kappa": coefficients.kappa}


@dataclass(frozen=True)
class Size:
    """A study's size, and how it is voted on."""

    items: int
    raters: int
    effect: float = 0.5  # mean log odds
    kind: str = "ab"
    missing: float = 0.0  # share of votes

    @property
    def words(self) -> str:
        """The size as the head of a column."""
        more = f", {self.missing:.0%} missing" if self.missing else ""
        return f"{self.items} x {self.raters}{more}" + (f", log odds {self.effect:g}" if self.effect != 0.5 else "")


@dataclass(frozen=True)
class Votes:
    """A simulated study: its votes, and the scores of a good and of a bad metric (items,)."""

    ratings: Ratings
    good: Floats
    bad: Floats


def simulate(generator: np.random.Generator, size: Size) -> Votes:
    """The votes of a study, each item of a pair of its own."""
    quality = generator.normal(0, ITEM, size.items)
    odds = size.effect + quality + generator.normal(0, RATER, (size.raters, 1))
    if size.kind == "ab":
        win, loss = np.exp(odds / 2), np.exp(-odds / 2)
        outcome = generator.random(odds.shape) * (win + loss + TIES)
        votes = np.where(outcome < win, 1.0, np.where(outcome < win + loss, -1.0, 0.0))
    else:
        votes = (generator.random(odds.shape) < 1 / (1 + np.exp(size.effect - odds))).astype(float)
    raters, items = np.nonzero(generator.random(votes.shape) >= size.missing)
    ratings = Ratings(votes[raters, items], items, raters, np.arange(size.items))
    good, bad = (quality + generator.normal(0, noise, size.items) for noise in (NOISE, MORE_NOISE))
    return Votes(ratings, good, bad)


def coefficients_of(kind: str) -> dict[str, coefficients.Coefficient]:
    own: dict[str, dict[str, coefficients.Coefficient]] = {
        "ab": {"same side": coefficients.same_side},
        "absolute": {"AUC": coefficients.auc, "ordered alike": coefficients.ordered_alike},
    }
    common: dict[str, coefficients.Coefficient] = {
        "r": pearson,
        "rho": spearman,
        "tau-b": coefficients.kendall,
    }
    return common | own[kind]


def true_values(generator: np.random.Generator, size: Size, populations: int) -> dict[str, float]:
    """Each figure's value in studies of very many items by as many raters, averaged."""
    large = replace(size, items=LARGE)
    of_all = [_values(simulate(generator, large), size) for _ in range(populations)]
    return {name: float(np.mean([of[name] for of in of_all])) for name in of_all[0]}


def true_wins(generator: np.random.Generator, size: Size) -> float:
    """The share of votes that the first method wins, of very many items and raters."""
    values = simulate(generator, replace(size, items=20 * LARGE, raters=POPULATIONS)).ratings.values
    return float(np.mean(values == 1))


def _values(votes: Votes, size: Size) -> dict[str, float]:
    """The figures' values, by formulas of their own where there are any."""
    ratings, good, values = votes.ratings, votes.good, votes.ratings.values
    people = ratings.item_means()
    wins, losses, ties = (float(np.mean(values == one)) for one in (1, -1, 0))
    counts = value_counts(ratings.matrix())
    rho = _rho(ratings)
    count = size.raters * (1 - size.missing)
    r = {"r": people, "rho": people, "tau-b": people}
    result = {name: float(coefficients_of(size.kind)[name](of, good, None)) for name, of in r.items()}
    for name in coefficients_of(size.kind).keys() - r.keys():
        result[name] = float(coefficients_of(size.kind)[name](people, good, None))
    reliable = float(spearman_brown(np.array(rho), count))
    result |= {
        "alpha, nominal": krippendorff_alpha(counts, "nominal") or 0.0,
        "ICC(1,k)": float(spearman_brown(np.array(_alike(ratings)), count)),
        "Spearman-Brown": reliable,
        "human ceiling": float(np.sqrt(reliable)),
        "one rater against the others": rho * float(np.sqrt((count - 1) / (1 + (count - 2) * rho))),
        "r with infinitely many raters": result["r"] / float(np.sqrt(reliable)),
        "difference of r": result["r"] - float(pearson(people, votes.bad)),
    }
    if size.kind == "absolute":
        yes = (good > 0).astype(float)
        return result | {"share of yes": wins} | {name: float(of(people, yes, None)) for name, of in MAJORITY.items()}
    return result | {
        "wins": wins,
        "comparable or better": wins + ties,
        "preference": wins - losses,
        "log odds": float(np.log(wins / losses)),
        "nu": ties / float(np.sqrt(wins * losses)),
        "alpha, ordinal": krippendorff_alpha(counts, "ordinal") or 0.0,
    }


def _rho(ratings: Ratings) -> float:
    """The reliability of one rater: the mean r of two raters, from all items."""
    votes = ratings.matrix()
    rs = []
    for one, two in combinations(votes[:12], 2):
        both = np.isfinite(one) & np.isfinite(two)
        rs.append(float(np.corrcoef(one[both], two[both])[0, 1]))
    return float(np.mean(rs))


def _alike(ratings: Ratings) -> float:
    """ICC(1,1): how two votes on an item go together, of the variance of all votes."""
    apart = ratings.matrix() - ratings.values.mean()
    votes, sums, squares = np.isfinite(apart).sum(axis=0), np.nansum(apart, axis=0), np.nansum(apart**2, axis=0)
    return float((sums**2 - squares).sum() / (votes * (votes - 1)).sum() / (squares.sum() / votes.sum()))
