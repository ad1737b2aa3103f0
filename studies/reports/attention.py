"""How attentively a study was answered, and what its rules leave out of the report: facts of the section "study"."""

from __future__ import annotations

from collections.abc import Sequence

from lorarar.util.formatting import count, listed
from lorarar.util.grouping import group_by
from studies.figures import Figure
from studies.reports.exclusions import Exclusion
from studies.reports.standing_votes import LEAST_LOOK, StandingVote, failed_checks, longest_run, passes
from studies.store import Study

SECTION = "study"


def attention(study: Study, votes: Sequence[StandingVote]) -> list[Figure]:
    """Checks that were passed, answers faster than a look, the longest run of one answer."""
    return [*_checks(study, votes), *_fast(votes), _run(votes)]


def left_out(exclusions: Sequence[Exclusion]) -> list[Figure]:
    """What each rule leaves out; a rule that leaves nobody out is told as well."""
    return [
        Figure(SECTION, "", f"left out: {one.reason}", count(one.raters, "rater"), n=one.votes, counted="votes")
        for one in exclusions
    ]


def _checks(study: Study, votes: Sequence[StandingVote]) -> list[Figure]:
    checks = [vote for vote in votes if vote.purpose == "attention"]
    if not checks:
        return []
    right = sum(passes(study, vote) for vote in checks)
    by_rater = group_by(checks, lambda vote: vote.rater)
    failing = [rater for rater, own in by_rater.items() if failed_checks(study, own)]
    note = f"{count(len(failing), 'rater')} failed one"
    share = right / len(checks)
    return [Figure(SECTION, "", "attention checks passed", share, n=len(checks), counted="checks", note=note)]


def _fast(votes: Sequence[StandingVote]) -> list[Figure]:
    """Votes that nobody can have looked for; none where there are none."""
    fast = group_by((vote for vote in votes if vote.too_fast), lambda vote: vote.rater)
    if not fast:
        return []
    codes = sorted(fast, key=lambda rater: -len(fast[rater]))
    note = f"votes in less than {LEAST_LOOK:g} seconds, by {listed(codes, 5)}; most by the first"
    many = sum(map(len, fast.values()))
    return [Figure(SECTION, "", "faster than a look", many, n=len(votes), counted="votes", note=note)]


def _run(votes: Sequence[StandingVote]) -> Figure:
    runs = {rater: longest_run(own) for rater, own in group_by(votes, lambda vote: vote.rater).items()}
    rater = max(runs, key=runs.__getitem__)
    note = f"times in a row, by side, by {rater}"
    return Figure(SECTION, "", "longest run of one answer", runs[rater], n=len(votes), counted="votes", note=note)
