"""Why questions have no clear answer and pictures no score, on stderr."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from judge.non_answers import NonAnswer, by_kind
from lorarar.util.messages import message

MOST = 5  # lines
LONGER = "--max-tokens N allows longer answers, thoughts among them"


def print_reasons(reasons: Mapping[str, int]) -> None:
    """The most frequent kinds of reasons with how often each was given, a line for each, and what helps."""
    print_faults(by_kind(reasons))
    if any(NonAnswer.CUT_OFF in reason for reason in reasons):  # of thoughts too
        message(f"  {LONGER}", "yellow")


def print_faults(faults: Sequence[str]) -> None:
    """The first faults, a line for each, and how many more there are."""
    for fault in faults[:MOST]:
        message(f"  {fault}", "yellow")
    if len(faults) > MOST:
        message(f"  and {len(faults) - MOST} more", "yellow")
