"""How long a search is: so many pictures, or as many as some minutes allow."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

UNKNOWN = 24  # pictures that a round may have before it is known how long one takes


@dataclass
class Budget:
    """The pictures that a search may have."""

    pictures: int | None  # None: as the minutes say
    minutes: float | None
    after: int  # pictures that are drawn after the search, to confirm what it came to
    _start: float = field(default_factory=time.monotonic)
    _drawn: int = 0  # pictures, and how long they took
    _seconds: float = 0.0

    def note(self, pictures: int, seconds: float) -> None:
        """Note how long a round took that drew so many pictures; one that drew none says nothing."""
        if pictures:
            self._drawn, self._seconds = self._drawn + pictures, self._seconds + seconds

    @property
    def pace(self) -> float | None:
        """Seconds a picture; None before any was drawn."""
        return self._seconds / self._drawn if self._drawn else None

    def allows(self, dealt: int, least: int) -> int:
        """How many pictures the whole search may have.

        Args:
            dealt: that it had so far.
            least: without which it could not begin.
        """
        if self.pictures is not None:
            return self.pictures
        if not dealt:
            return least
        left = 60 * (self.minutes or 0.0) - (time.monotonic() - self._start)
        return dealt + (UNKNOWN if self.pace is None else max(0, int(left / self.pace) - self.after))
