"""The kinds of replies that are no answer, neither yes nor no, or no choice: the only table of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

MOST_KINDS = 5  # of reasons that are told


class NonAnswer(StrEnum):
    """Why something that came is no answer; each is how its reasons begin."""

    THOUGHT = "thought"  # and came to no answer
    CUT_OFF = "cut off"
    REFUSED = "refused"
    FILTERED = "filtered"
    EMPTY = "empty"
    PROSE = "prose"  # words, but not an answer alone
    DISAGREEMENT = "disagreement"  # of the words with the probabilities


def non_answer_of(reason: str) -> NonAnswer:
    """The kind of an unparsed reply by its reason; of version 0.1, whose reasons told none apart, ``PROSE``."""
    return next((kind for kind in NonAnswer if reason.startswith(kind)), NonAnswer.PROSE)


def shortened(text: str) -> str:
    """The beginning of a text from outside, on one line."""
    return " ".join(text.split())[:80]


def prose(words: str, accepted: str = "Yes or No") -> str:
    """The reason of an answer in other words than are accepted."""
    return f"{NonAnswer.PROSE}: the answer is {shortened(words)!r}, not {accepted}"


def by_kind(reasons: Mapping[str, int]) -> list[str]:
    """How often each kind of reason was given, the most frequent first, in the words of its commonest reason."""
    kinds: dict[str, Counter[str]] = {}
    for reason, count in reasons.items():
        kind = next((kind.value for kind in NonAnswer if reason.startswith(kind)), reason)
        kinds.setdefault(kind, Counter())[reason] += count
    told = sorted(kinds.values(), key=lambda members: -members.total())
    return [f"{members.total()} x {members.most_common(1)[0][0]}" for members in told]


def in_kinds(reasons: Mapping[str, int]) -> str:
    """The same of the most frequent kinds, as a part of a sentence."""
    return "; ".join(by_kind(reasons)[:MOST_KINDS])
