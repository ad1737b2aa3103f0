"""Connections that cannot use up this machine: bounded in number, and in the time that each may stand still."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0  # for a request to come
STANDSTILL_SECONDS = 30.0  # without anything of an answer being taken


class BoundedConnection(H11Protocol):
    """A connection of uvicorn's that makes room for others: at the limit, the one that has waited longest goes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection where there is room, or where some other one only waits."""
        super().connection_made(transport)
        self.since = self.loop.time()  # when something came or was taken
        if self.limit_concurrency is not None and len(self.connections) >= self.limit_concurrency:
            waiting = (other for other in self.connections if isinstance(other, BoundedConnection) and not other.busy)
            min(waiting, key=lambda other: other.since).end()  # there is one: this

    def data_received(self, data: bytes) -> None:
        """Take what comes; the time that a request may take to come runs from its first byte."""
        if self.timeout_keep_alive_task is not None:
            self.since = self.loop.time()
        super().data_received(data)

    def resume_writing(self) -> None:
        """Go on with an answer, of which enough was taken."""
        self.since = self.loop.time()
        super().resume_writing()

    @property
    def busy(self) -> bool:
        """Whether a request has come and is not answered yet."""
        return self.cycle is not None and not self.cycle.response_complete

    def is_standing_still(self, now: float) -> bool:
        """Whether a request, or the taking of an answer, goes on for too long."""
        if self.timeout_keep_alive_task is not None and not self.transport.is_closing():
            return False  # between two requests; uvicorn's own time runs
        waits_for_head = not self.busy and not self.transport.is_closing()
        return now - self.since > (HEAD_SECONDS if waits_for_head else STANDSTILL_SECONDS)

    def end(self) -> None:
        """End at once, whatever was still to be sent."""
        self.connections.discard(self)
        self.transport.abort()
