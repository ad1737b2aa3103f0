"""What a critic is asked and what it replies.

Invariant: a reply that is not a clear yes or no has no verdict. It is ``failed`` (nothing came) or
``unparsed`` (something else came), with the reason; never a score.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from judge.prompts import Aspect, Rendered

Status = Literal["ok", "failed", "unparsed"]

_ANSWER = re.compile(r"[\s\"'*_`(]*(yes|no)\b[\s\"'*_`).,!]*", re.IGNORECASE)


@dataclass(frozen=True)
class Question:
    """One aspect of one picture against one reference."""

    aspect: Aspect
    rendered: Rendered
    system: str
    reference: Path
    test: Path


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: Status
    verdict: bool | None = None  # None unless the status is ok
    probability: float | None = None  # of Yes, against No; None where a backend gives none
    text: str = ""  # the raw answer
    reason: str = ""  # why there is no verdict
    seconds: float = 0.0


def parse(text: str) -> bool | None:
    """Yes or No as the whole answer, in any case and with marks around it; None for anything else.

    ``no, yes would be wrong`` is neither, and so are ``eyes`` and an explanation.
    """
    match = _ANSWER.fullmatch(text)
    return match[1].lower() == "yes" if match else None


def answered(text: str, probability: float | None = None, seconds: float = 0.0) -> Reply:
    """A reply from an answer in words, ``unparsed`` where it is neither yes nor no."""
    verdict = parse(text)
    if verdict is None:
        said = " ".join(text.split())[:80]
        return Reply("unparsed", None, probability, text, f"the answer is {said!r}, not Yes or No", seconds)
    return Reply("ok", verdict, probability, text, "", seconds)


def leaning(probability: float, seconds: float = 0.0) -> Reply:
    """A reply from the probability of Yes against No at the first answered token."""
    return Reply("ok", probability > 0.5, probability, "Yes" if probability > 0.5 else "No", "", seconds)


def failed(reason: str, seconds: float = 0.0) -> Reply:
    """A reply that did not come."""
    return Reply("failed", None, None, "", reason, seconds)
