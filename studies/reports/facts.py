"""The section "study": what was shown, to whom, and how attentively it was answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from studies.figures import Figure
from studies.rater.votes import LEAST_PIXELS
from studies.reports.figure_builders import figure_of, mean, ratings_of, undefined
from studies.reports.standing_votes import StandingVote, passes
from studies.store import Study

KINDS = {"ab": "A/B: which of two pictures is better", "absolute": "absolute: what one picture shows"}

Fact = tuple[str, float | str, str]  # name, value, note


def facts(study: Study, votes: Sequence[StandingVote], failed: set[str], attentive: bool) -> list[Figure]:
    """The facts of a study.

    Args:
        study: the study.
        votes: those that are reported on.
        failed: the raters who failed an attention check.
        attentive: whether these raters are left out.
    """
    plain = [vote for vote in votes if vote.purpose == "plain"]
    rows = [*_design(study), *_voting(study, votes, plain), *_attention(study, votes, failed, attentive)]
    figures = [Figure("study", "", name, value, note=note) for name, value, note in rows]
    return [*figures, _left(study, plain)] if study.kind == "ab" else figures


def _design(study: Study) -> list[Fact]:
    return [
        ("kind", KINDS[study.kind], ""),
        ("scenario", study.scenario, _goes_by(study)),
        ("methods", ", ".join(study.methods), ""),
        ("items", study.asked, f"of {len(study.pairs)} subject-style pairs"),
    ]


def _goes_by(study: Study) -> str:
    """Whose verdicts the study's pictures were chosen by, with the brand where it did not know them."""
    branded = study.judge.get("brand")
    return f"MARS2 by {study.judge['critic']}" + (f". {branded}" if branded else "") if study.judge else ""


def _voting(study: Study, votes: Sequence[StandingVote], plain: Sequence[StandingVote]) -> list[Fact]:
    items = study.asked
    complete = sum(count == items for count in Counter(vote.rater for vote in plain).values())
    rows: list[Fact] = [
        ("raters", len({vote.rater for vote in votes}), f"{complete} saw all items"),
        ("votes", len(plain), "without practice, repeats and checks"),
        ("median seconds", float(np.median([vote.seconds for vote in plain])), "from showing to answer"),
        ("shown by", ", ".join(sorted({vote.screen.renderer for vote in plain})), ""),
    ]
    if small := sum(vote.screen.too_small for vote in plain):
        rows.append(("small pictures", small, f"votes on pictures with a side of fewer than {LEAST_PIXELS} pixels"))
    return rows


def _attention(study: Study, votes: Sequence[StandingVote], failed: set[str], attentive: bool) -> list[Fact]:
    checks = [vote for vote in votes if vote.purpose == "attention"]
    if not checks:
        return []
    right = sum(passes(study, vote) for vote in checks)
    where = "who are left out" if attentive else "who are kept; --attentive leaves them out"
    return [("attention checks passed", right / len(checks), f"{len(failed)} raters failed one, {where}")]


def _left(study: Study, plain: Sequence[StandingVote]) -> Figure:
    """How often the left side is preferred, which sides alone should not decide."""
    sides = [vote for vote in plain if vote.side != "similar"]
    if not sides:
        return undefined("study", "", "left", "no vote is for a side")
    left = mean(ratings_of(study, sides, lambda vote: float(vote.side == "left")))
    return figure_of("study", "", "left", left, n=len(sides), counted="votes", note="of the votes for a side")
