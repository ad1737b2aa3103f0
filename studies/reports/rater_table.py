"""The raters of a study, one a row: how attentively each answered, and how far they agree with the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import StatisticsError, correlation, median

from lorarar.util.grouping import group_by
from studies.reports.exclusions import KeptVotes
from studies.reports.figure_builders import value_for
from studies.reports.standing_votes import StandingVote, failed_checks, is_finished, longest_run, repeats_alike
from studies.store import Study

LEAST_SHARED = 3  # items that a rater shares with others, below which there is no r


@dataclass(frozen=True)
class RaterRow:
    """A rater and how they answered."""

    rater: str
    simulated: bool
    votes: int  # on items, without practice, repeats and checks
    finished: bool  # whether they answered everything
    checks: int
    checks_failed: int
    repeats: int
    repeats_alike: int
    left_share: float | None  # of the votes for a side; None in an absolute study
    longest_run: int  # of one answer, by side
    median_seconds: float | None
    too_fast: int  # votes given faster than anybody can look
    too_small: int  # votes on pictures shown too small
    r_with_others: float | None  # Pearson's r with the mean of the others
    left_out: tuple[str, ...] = ()  # by which rules


def rater_rows(study: Study, votes: Sequence[StandingVote], kept: KeptVotes, simulated: bool) -> list[RaterRow]:
    """The raters of a study, those that its rules leave out too, by code.

    Args:
        study: the study.
        votes: all standing votes.
        kept: what the study's rules say of them.
        simulated: whether the raters are simulated.
    """
    by_rater = group_by(votes, lambda vote: vote.rater)
    others = _with_others(study, votes)
    return [_row(study, rater, by_rater[rater], others, kept.reasons[rater], simulated) for rater in sorted(by_rater)]


def _row(
    study: Study,
    rater: str,
    votes: Sequence[StandingVote],
    others: Mapping[str, float | None],
    reasons: Sequence[str],
    simulated: bool,
) -> RaterRow:
    plain = [vote for vote in votes if vote.purpose == "plain"]
    sides = [vote.side == "left" for vote in plain if vote.side in ("left", "right")]
    repeats, alike = repeats_alike(votes)
    return RaterRow(
        rater=rater,
        simulated=simulated,
        votes=len(plain),
        finished=is_finished(study, votes),
        checks=sum(vote.purpose == "attention" for vote in votes),
        checks_failed=failed_checks(study, votes),
        repeats=repeats,
        repeats_alike=alike,
        left_share=sum(sides) / len(sides) if sides else None,
        longest_run=longest_run(votes),
        median_seconds=median(vote.seconds for vote in plain) if plain else None,
        too_fast=sum(vote.too_fast for vote in votes),
        too_small=sum(vote.screen.too_small for vote in plain),
        r_with_others=others.get(rater),
        left_out=tuple(reasons),
    )


def _with_others(study: Study, votes: Sequence[StandingVote]) -> dict[str, float | None]:
    """Each rater's r with the mean of all others, over the items that others answered too."""
    value = value_for(study, "both")
    plain = [vote for vote in votes if vote.purpose == "plain"]
    of_items = {item: (len(own), sum(map(value, own))) for item, own in group_by(plain, lambda vote: vote.item).items()}

    def r(own: Sequence[StandingVote]) -> float | None:
        shared = [(value(vote), *of_items[vote.item]) for vote in own if of_items[vote.item][0] > 1]
        if len(shared) < LEAST_SHARED:
            return None
        try:
            return correlation([mine for mine, *_ in shared], [(sum_ - mine) / (n - 1) for mine, n, sum_ in shared])
        except StatisticsError:  # one side does not vary
            return None

    return {rater: r(own) for rater, own in group_by(plain, lambda vote: vote.rater).items()}
