"""The current time in the form in which the database stores it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """The current date and time in UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
