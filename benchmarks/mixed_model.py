"""``python -m benchmarks.mixed_model``: strengths of methods beside those of a mixed model, as statisticians fit one.

The model is a logit of the decided votes with the methods as fixed effects and raters and items crossed as random ones:
by lme4 where R and it are installed, and by statsmodels (variational Bayes, whose intervals are known to be too narrow)
where that is. Neither is a dependency; what is missing is left out, and said. Such log odds are of one rater on one
item, ours those of all votes, which are nearer to 0; they are brought together by the usual factor sqrt(1 + 0.346 v), v
being the variance of both kinds of effects.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from itertools import combinations
from shutil import which

import numpy as np

from benchmarks.page import section, table
from lorarar.util.statistics.estimate import Estimate
from studies.statistics.ratings import Floats, Ints, Ratings
from studies.statistics.strengths import method_strengths

ITEM, RATER, TIES = 0.75, 0.25, 1.0  # standard deviations in log odds; Davidson's nu
SHRINK = 0.346  # of a normal effect's variance in a logit: 16 sqrt(3) / (15 pi), squared
Z = 1.959964


@dataclass(frozen=True)
class VotedStudy:
    """A simulated study of several methods."""

    title: str
    ratings: Ratings
    methods: Ints  # (votes, 2), which two each vote is about
    truth: Floats  # (methods,), log strengths


@dataclass(frozen=True)
class MixedFit:
    """Log strengths of all methods but the first, whose is 0."""

    means: Floats  # (methods - 1,)
    covariance: Floats  # (methods - 1, methods - 1)
    variance: float  # of the effects of items and raters together


Fit = Callable[["VotedStudy"], MixedFit]


def run() -> str:
    """Compare with what is installed, and say what is not."""
    fits, missing = dict[str, Fit](), []
    if _has_lme4():
        fits["lme4"] = by_lme4
    else:
        missing.append("lme4 is left out: R with lme4 is not installed (Debian: r-cran-lme4)")
    if find_spec("statsmodels"):
        fits["statsmodels"] = by_statsmodels
    else:
        missing.append(
            "statsmodels is left out: it is not installed; in an environment of its own: pip install statsmodels"
        )
    rows = [row for study in voted_studies() for row in compare(study, fits)] if fits else []
    heads = [f"{name}, {of}" for name in fits for of in ("of one rater and item", "of all votes")]
    return section(
        "Mixed model", *([table(("study", "of", "truth", "report", *heads), rows)] if rows else []), *missing
    )


def voted_studies(seed: int = 0) -> Iterator[VotedStudy]:
    """A study of two methods, one of five raters, and one of three methods with votes missing."""
    generator = np.random.default_rng(seed)
    yield simulate(generator, "2 methods, 25 items x 25 raters", np.array([0.25, -0.25]), 25, 25)
    yield simulate(generator, "2 methods, 50 items x 5 raters", np.array([0.25, -0.25]), 50, 5)
    yield simulate(generator, "3 methods, 75 items x 12 raters, 30% missing", np.array([0.5, 0.0, -0.5]), 75, 12, 0.3)


def simulate(
    generator: np.random.Generator, title: str, truth: Floats, items: int, raters: int, missing: float = 0.0
) -> VotedStudy:
    """Votes on items of every two methods in turn, by Davidson's model with normal effects of items and raters."""
    pairs = np.array(list(combinations(range(len(truth)), 2)))
    of_items = pairs[np.arange(items) % len(pairs)]
    odds = truth[of_items[:, 0]] - truth[of_items[:, 1]] + generator.normal(0, ITEM, items)
    odds = odds + generator.normal(0, RATER, (raters, 1))
    win, loss = np.exp(odds / 2), np.exp(-odds / 2)
    outcome = generator.random(odds.shape) * (win + loss + TIES)
    votes = np.where(outcome < win, 1.0, np.where(outcome < win + loss, -1.0, 0.0))
    rater, item = np.nonzero(generator.random(votes.shape) >= missing)
    return VotedStudy(title, Ratings(votes[rater, item], item, rater, np.arange(items)), of_items[item], truth)


def compare(study: VotedStudy, fits: Mapping[str, Fit]) -> Iterator[list[str]]:
    """Every two methods' difference: the truth, the report's and each mixed model's."""
    ours = method_strengths(study.ratings, study.methods, len(study.truth))
    theirs = [fit(study) for fit in fits.values()]
    for (one, two), contrast in ours.contrasts.items():
        cells = [study.title, f"{one + 1} - {two + 1}", f"{study.truth[one] - study.truth[two]:.2f}"]
        cells.append(_words(contrast.estimate))
        for fit in theirs:
            signs = (np.eye(len(study.truth))[one] - np.eye(len(study.truth))[two])[1:]
            value, half = float(signs @ fit.means), Z * float(np.sqrt(signs @ fit.covariance @ signs))
            shrink = float(1 / np.sqrt(1 + SHRINK * fit.variance))
            for factor in (1.0, shrink):
                cells.append(_words(Estimate(value * factor, (value - half) * factor, (value + half) * factor)))
        yield cells


def by_statsmodels(study: VotedStudy) -> MixedFit:
    """The fit by statsmodels."""
    from scipy.sparse import csr_matrix

    model = import_module("statsmodels.genmod.bayes_mixed_glm").BinomialBayesMixedGLM
    wins, fixed, items, raters = _decided(study)
    at = np.arange(len(wins))
    effects = np.zeros((len(wins), study.ratings.item_count + study.ratings.rater_count))
    effects[at, items] = effects[at, study.ratings.item_count + raters] = 1.0
    kinds = np.repeat([0, 1], [study.ratings.item_count, study.ratings.rater_count])
    result = model(wins, fixed, csr_matrix(effects), kinds, vcp_p=1, fe_p=10).fit_vb()
    return MixedFit(result.fe_mean, np.diag(result.fe_sd**2), float((np.exp(result.vcp_mean) ** 2).sum()))


LME4 = """
votes <- read.csv(file("stdin"))
fixed <- paste(grep("^m", names(votes), value = TRUE), collapse = " + ")
formula <- as.formula(paste("win ~ 0 +", fixed, "+ (1 | item) + (1 | rater)"))
fit <- suppressMessages(lme4::glmer(formula, votes, binomial))
cat(lme4::fixef(fit), "\\n", as.vector(as.matrix(vcov(fit))), "\\n", sum(unlist(lme4::VarCorr(fit))), "\\n")
"""


def by_lme4(study: VotedStudy) -> MixedFit:
    """The fit by R's lme4."""
    wins, fixed, items, raters = _decided(study)
    head = ["win", *(f"m{number}" for number in range(fixed.shape[1])), "item", "rater"]
    rows = np.column_stack([wins, fixed, items, raters]).astype(int)
    text = "\n".join([",".join(head), *(",".join(map(str, row)) for row in rows)])
    done = subprocess.run(["Rscript", "-e", LME4], input=text, capture_output=True, text=True, check=True)
    means, covariance, variance = (np.array(line.split(), float) for line in done.stdout.strip().split("\n"))
    return MixedFit(means, covariance.reshape(len(means), len(means)), float(variance[0]))


def _has_lme4() -> bool:
    """Whether R and lme4 are installed."""
    if which("Rscript") is None:
        return False
    script = 'quit(status = !requireNamespace("lme4", quietly = TRUE))'
    return subprocess.run(["Rscript", "-e", script], check=False, capture_output=True).returncode == 0


def _decided(study: VotedStudy) -> tuple[Floats, Floats, Ints, Ints]:
    """Of the votes that are no tie: wins (votes,), who meets whom (votes, methods - 1), items and raters (votes,)."""
    ratings = study.ratings
    decided = np.flatnonzero(ratings.values)
    at = np.arange(len(decided))
    fixed = np.zeros((len(decided), len(study.truth)))
    fixed[at, study.methods[decided, 0]], fixed[at, study.methods[decided, 1]] = 1.0, -1.0
    wins = (ratings.values[decided] > 0).astype(float)
    return wins, fixed[:, 1:], ratings.items[decided], ratings.raters[decided]


def _words(figure: Estimate) -> str:
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"


if __name__ == "__main__":
    print(run())
