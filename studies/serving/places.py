"""The places of a served study: one for each rater who is voting, however many windows they have open.

A rater's windows share one session: what the newest does holds, and an older one is told where the rater is. So one
link cannot take the places of others, and what a place costs is a session's few kilobytes.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from studies.rater.session import Session
from studies.serving.refusals import BUSY, FULL, RefusalError

REST = 120.0  # seconds after which the place of a rater who asks for nothing may go to another
AT_ONCE = 24  # requests of one rater; a browser has six on their way, a proxy lets some more through


@dataclass
class RaterPlace:
    """One rater's."""

    code: str
    used: float  # seconds on a monotonic clock
    session: Session[str] | None = None  # once it was opened
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # a session is asked for one thing at a time
    requests: int = 0  # on their way


class Places:
    """Who is voting, the one who asked last at the end.

    Args:
        most: people at a time.
        clock: seconds on a monotonic clock.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._places: OrderedDict[str, RaterPlace] = OrderedDict()

    @contextmanager
    def taken(self, code: str) -> Iterator[RaterPlace]:
        """The place of a rater during a request.

        Raises:
            RefusalError: all places are taken, or the rater asks for too much at once.
        """
        place = self._places.get(code) or self._new(code)
        if place.requests >= AT_ONCE:
            raise RefusalError(429, BUSY)
        self._places.move_to_end(code)
        place.requests += 1
        try:
            yield place
        finally:
            place.requests -= 1
            place.used = self._clock()

    def _new(self, code: str) -> RaterPlace:
        now = self._clock()
        if len(self._places) >= self._most:
            resting = (place for place in self._places.values() if not place.requests and now - place.used >= REST)
            longest = min(resting, key=lambda place: place.used, default=None)
            if longest is None:
                raise RefusalError(503, FULL)
            del self._places[longest.code]
        place = self._places[code] = RaterPlace(code, now)
        return place
