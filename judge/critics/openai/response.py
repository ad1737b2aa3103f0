"""A server's answers as pure functions of untrusted JSON."""

from __future__ import annotations

import json
import math
from typing import Any


def json_of(body: bytes) -> object:
    """The value of a body; None where it is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def text_of(answer: object) -> str | None:
    """The words of the first choice; empty where it has none, None where there is no such choice."""
    try:
        content = answer["choices"][0]["message"]["content"]  # type: ignore[index]
    except (KeyError, IndexError, TypeError):
        return None
    return content if isinstance(content, str) else ""


def chance_of(answer: object) -> float | None:
    """The probability of Yes against No at the first token, all spellings together; None where neither is listed.

    What is not listed is less likely than all that is, and counts as nothing.
    """
    try:
        listed: Any = answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"]  # type: ignore[index]
        mass = {"yes": 0.0, "no": 0.0}
        for entry in listed:
            word = entry["token"].strip(" \u0120\u2581").lower()  # some servers show a space as their tokenizer does
            if word in mass:
                mass[word] += math.exp(entry["logprob"])
    except (KeyError, IndexError, TypeError, AttributeError, OverflowError):
        return None
    total = sum(mass.values())
    return mass["yes"] / total if 0 < total < math.inf else None


def error_of(body: bytes) -> str:
    """A server's own words for an error, on one line."""
    answer = json_of(body)
    error = answer.get("error", answer) if isinstance(answer, dict) else body[:400].decode(errors="replace")
    message = error.get("message") or error.get("detail") if isinstance(error, dict) else error
    return " ".join(str(message or "nothing more").split())[:200]
