"""The section "study": what was shown and to whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from lorarar.util.formatting import count
from studies.figures import Figure
from studies.rater.votes import LEAST_PIXELS
from studies.reports.exclusions import identical_items
from studies.reports.figure_builders import figure_of, mean, ratings_of, undefined
from studies.reports.standing_votes import StandingVote
from studies.store import Study

KINDS = {"ab": "A/B: which of two pictures is better", "absolute": "absolute: what one picture shows"}

Fact = tuple[str, float | str, str]  # name, value, note


def design_facts(study: Study) -> list[Figure]:
    """What a study shows, whoever voted."""
    rows: list[Fact] = [
        ("kind", KINDS[study.kind], ""),
        ("scenario", study.scenario, _goes_by(study)),
        ("methods", ", ".join(study.methods), ""),
        ("items", study.item_count, f"of {count(len(study.pairs), 'subject-style pair')}"),
    ]
    if study.closed:
        rows.append(("closed", study.closed, "no votes after that day"))
    if study.drawing.identical:
        note = "comparisons left out when the study was made: both methods made the same picture"
        rows.append(("identical pictures", study.drawing.identical, note))
    elif same := identical_items(study):
        rows.append(("identical pictures", len(same), "items that show one picture twice; votes on them are left out"))
    if study.rules.pairing == "seed":
        rows.append(("pairing", "by seed", f"{count(study.drawing.unpaired, 'item')} of two seeds"))
    return _figures(rows)


def voting_facts(study: Study, votes: Sequence[StandingVote]) -> list[Figure]:
    """Who voted, how long it took, how pictures were shown."""
    plain = [vote for vote in votes if vote.purpose == "plain"]
    items = study.item_count
    complete = sum(number == items for number in Counter(vote.rater for vote in plain).values())
    rows: list[Fact] = [
        ("raters", len({vote.rater for vote in votes}), f"{complete} saw all items"),
        ("votes", len(plain), "without practice, repeats and checks"),
        ("median seconds", float(np.median([vote.seconds for vote in plain])), "from showing to answer"),
        ("shown by", ", ".join(sorted({vote.screen.renderer for vote in plain})), ""),
    ]
    if small := sum(vote.screen.too_small for vote in plain):
        rows.append(("small pictures", small, f"votes on pictures with a side of fewer than {LEAST_PIXELS} pixels"))
    figures = _figures(rows)
    return [*figures, _left(study, plain)] if study.kind == "ab" else figures


def _figures(rows: Sequence[Fact]) -> list[Figure]:
    return [Figure("study", "", name, value, note=note) for name, value, note in rows]


def _goes_by(study: Study) -> str:
    """Whose verdicts the study's pictures were chosen by, with the brand where it did not know them."""
    branded = study.judge.get("brand")
    return f"MARS2 by {study.judge['critic']}" + (f". {branded}" if branded else "") if study.judge else ""


def _left(study: Study, plain: Sequence[StandingVote]) -> Figure:
    """How often the left side is preferred, which sides alone should not decide."""
    sides = [vote for vote in plain if vote.side != "similar"]
    if not sides:
        return undefined("study", "", "left", "no vote is for a side")
    left = mean(ratings_of(study, sides, lambda vote: float(vote.side == "left")))
    return figure_of("study", "", "left", left, n=len(sides), counted="votes", note="of the votes for a side")
