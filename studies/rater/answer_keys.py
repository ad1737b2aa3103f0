"""Which keys give which answer, in one table that every front end, its help and the docs follow."""

from __future__ import annotations

from collections.abc import Mapping

from studies.rater.design import VoteAnswer

#: The keys of each answer; the first one stands beside its words. The arrows point to where the option is.
ANSWER_KEYS: Mapping[VoteAnswer, tuple[str, ...]] = {
    "left": ("1", "left"),
    "similar": ("0", "down", "space"),
    "right": ("2", "right"),
    "both": ("1",),
    "subject": ("2",),
    "style": ("3",),
    "neither": ("4",),
}
#: How keys are written for people, where it is not by their name.
KEY_SIGNS: Mapping[str, str] = {"left": "←", "down": "↓", "right": "→"}


def signs_of(answer: VoteAnswer) -> tuple[str, ...]:
    """The keys of an answer as they are written for people."""
    return tuple(KEY_SIGNS.get(key, key) for key in ANSWER_KEYS[answer])
