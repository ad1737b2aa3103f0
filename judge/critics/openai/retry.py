"""When a request is made again: after a while that doubles, or when the server says so."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_WAIT = 60.0  # seconds of our own between two attempts
LONGEST_ASKED = 600.0  # seconds that a server may ask for; more is no answer


def waits(retries: int, backoff: float) -> Iterator[float]:
    """Seconds before each retry, with jitter, or all who failed together come back together."""
    for attempt in range(retries):
        yield min(backoff * 2**attempt, LONGEST_WAIT) * random.uniform(0.5, 1)


def asked_wait(headers: Mapping[str, str]) -> float:
    """Seconds that a server asks to wait: as a number, as a date, or in milliseconds; 0 where it asks for none."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "")
    seconds = _number(text)
    return _until(text) if seconds is None else seconds


def _number(text: str | None) -> float | None:
    """A number that is finite and not negative; None for anything else."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def _until(text: str) -> float:
    """Seconds until a date of HTTP; 0 where it is none, or over."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
