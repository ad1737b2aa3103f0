"""The time as the database has it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """Date and time in UTC, to the second, in ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
