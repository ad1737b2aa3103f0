"""Who and what a study's rules leave out of its report, by reason, as they were fixed before anybody voted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from lorarar.util.grouping import group_by
from studies.reports.standing_votes import StandingVote, failed_checks, is_finished, repeats_alike
from studies.rules import StudyRules
from studies.store import Study

IDENTICAL = "votes on two pictures that are the same"

#: Whether a rule of this value leaves a rater of these votes out.
RaterRule = Callable[[Study, Sequence[StandingVote], float], bool]
#: Whether a rule leaves a vote out.
VoteRule = Callable[[Study, StandingVote], bool]


@dataclass(frozen=True)
class Exclusion:
    """What one rule leaves out; who breaks several counts with each."""

    reason: str  # in words
    votes: int  # practice aside
    raters: int


@dataclass(frozen=True)
class KeptVotes:
    """The votes that a report is on, and why the others are not among them."""

    votes: Sequence[StandingVote]
    exclusions: Sequence[Exclusion]  # a rule each, also those that leave nobody out
    reasons: Mapping[str, Sequence[str]]  # why each rater is left out; empty for those who are kept


def keep(study: Study, votes: Sequence[StandingVote], rules: StudyRules) -> KeptVotes:
    """Leave out what the rules say: raters first, by all that they answered, then votes of the others.

    Args:
        study: the study.
        votes: all standing votes.
        rules: the study's, or stricter ones.
    """
    by_rater = group_by(votes, lambda vote: vote.rater)
    breaking = {
        why: {rater for rater, own in by_rater.items() if RATER_RULES[name](study, own, getattr(rules, name))}
        for name, why in rules.exclusion_words.items()
        if name in RATER_RULES
    }
    reasons = {rater: [why for why, raters in breaking.items() if rater in raters] for rater in by_rater}
    exclusions = [
        Exclusion(why, sum(len(by_rater[rater]) for rater in raters), len(raters)) for why, raters in breaking.items()
    ]
    kept = [vote for vote in votes if not reasons[vote.rater]]
    for why, breaks_rule in _vote_rules(study, rules).items():
        left_out = [vote for vote in kept if breaks_rule(study, vote)]
        exclusions.append(Exclusion(why, len(left_out), len({vote.rater for vote in left_out})))
        kept = [vote for vote in kept if not breaks_rule(study, vote)]
    return KeptVotes(kept, exclusions, reasons)


def _vote_rules(study: Study, rules: StudyRules) -> dict[str, VoteRule]:
    """The rules on single votes that hold, by their words."""
    named: dict[str, VoteRule] = {}
    if rules.exclude_small_pictures:
        named[rules.exclusion_words["exclude_small_pictures"]] = lambda _, vote: vote.screen.too_small
    if identical := identical_items(study):
        named[IDENTICAL] = lambda _, vote: vote.item in identical
    return named


def identical_items(study: Study) -> set[int]:
    """The items that show one picture twice, as studies of before may have: a vote for one of them means its side."""
    return {item.number for item in study.design.items if len(item.options) > len(set(item.options))}


def _is_too_fast(_: Study, votes: Sequence[StandingVote], least: float) -> bool:
    seconds = [vote.seconds for vote in votes if vote.purpose == "plain"]
    return bool(seconds) and median(seconds) < least


def _repeats_otherwise(_: Study, votes: Sequence[StandingVote], least: float) -> bool:
    repeats, alike = repeats_alike(votes)
    return repeats > 0 and alike / repeats < least


#: The rules on raters, by their names in ``StudyRules``.
RATER_RULES: Mapping[str, RaterRule] = {
    "most_failed_checks": lambda study, votes, most: failed_checks(study, votes) > most,
    "least_seconds": _is_too_fast,
    "least_repeats_alike": _repeats_otherwise,
    "finished_only": lambda study, votes, _: not is_finished(study, votes),
}
