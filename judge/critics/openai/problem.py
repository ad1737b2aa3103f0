"""What is wrong with a server's answer: its own words, whether it may pass, whether asking on makes sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from judge.critics.openai.answer import Answer
from judge.critics.openai.response import error_of, words_of
from judge.critics.openai.retry import LONGEST_ASKED, asked_wait

PASSING = (408, 425, 429)  # and all of 5xx
REFUSED = (401, 402, 403)  # whoever asks, whatever is asked
SPENT = "insufficient_quota"  # a 429 that does not pass


@dataclass(frozen=True)
class Problem:
    """Why an answer is none."""

    status: int  # also of an error in the body of a success; that success's where the error has no number
    words: str  # the server's own, on one line
    spent: bool = False  # whether nothing is left to pay with
    wait: float = 0.0  # seconds that the server asks for

    def __str__(self) -> str:
        """The problem in a line."""
        return f"{self.status}: {self.words}"

    @property
    def refused(self) -> bool:
        """Whether the server refuses whoever asks: a key, a right or a payment is missing."""
        return self.status in REFUSED or self.spent

    @property
    def passing(self) -> bool:
        """Whether it may be over at the next attempt."""
        may_pass = self.status in PASSING or self.status >= 500 or self.status < 300
        return may_pass and not self.refused and self.wait <= LONGEST_ASKED


def problem_of(answer: Answer) -> Problem | None:
    """What is wrong with an answer; None where nothing is."""
    error = _error(answer.value)
    success = 200 <= answer.status < 300
    if success and not error:
        return None
    fields = error if isinstance(error, Mapping) else {}
    return Problem(
        status=_status(fields) or answer.status if success else answer.status,
        words=words_of(error) if error else error_of(answer.body),
        spent=SPENT in (fields.get("code"), fields.get("type")),
        wait=asked_wait(answer.headers),
    )


def _error(value: object) -> object:
    """The error in a body: at its top, as the whole of it, or in the first choice; None where there is none."""
    if not isinstance(value, dict):
        return None
    choices = value.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    in_choice = first.get("error") if isinstance(first, dict) else None
    return value.get("error") or (value if value.get("object") == "error" else None) or in_choice


def _status(error: Mapping[str, object]) -> int | None:
    """The status that an error in the body of a success names."""
    for name in ("code", "status", "status_code"):
        text = str(error.get(name, ""))
        if text.isascii() and text.isdigit() and 400 <= int(text[:9]) < 600:
            return int(text)
    return None
