"""A wire to a server: one connection, opened when it is needed, and one request at a time on it.

Nothing here looks at the time but the opening of a connection: who waits for an answer cuts the wire
(``judge.critics.openai.wires``), which ends whatever the server does, and costs a request nothing.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpcore2
import httpx2

from judge.critics.openai.answer import Answer, NoAnswerError

LONGEST = 16 * 2**20  # bytes of an answer
OPENED = (
    "connect_tcp.complete",
    "start_tls.complete",
)  # steps of which a stream comes, the last of them the one in use
FAILURES = (
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
    httpx2.HTTPError,  # an answer in an encoding that it is not in
)


class Wire:
    """A connection to a server, for one thread at a time; any other may cut it."""

    def __init__(self, pool: httpcore2.ConnectionPool) -> None:
        """``pool`` has room for one connection."""
        self._pool = pool
        self._stream: httpcore2.NetworkStream | None = None
        self._is_cut = False

    def exchange(self, request: httpcore2.Request) -> Answer:
        """The answer to a request.

        Raises:
            NoAnswerError: it is too long.
            httpcore2.TimeoutException: no connection was opened in time.
            OSError, UnicodeError: no connection was opened; or one of ``FAILURES``.
        """
        request.extensions["trace"] = self._note
        started = time.monotonic()
        response = self._pool.handle_request(request)
        try:
            parts = _Parts(response.iter_stream())
            decoded = httpx2.Response(response.status, headers=response.headers, stream=parts)
            body = bytearray()
            for part in decoded.iter_bytes():
                body += part
                if len(body) > LONGEST:
                    raise NoAnswerError(f"an answer of more than {LONGEST // 2**20} MB")
            return Answer(response.status, bytes(body), decoded.headers, time.monotonic() - started)
        finally:
            response.close()

    def cut(self) -> None:
        """End what is on its way, for good: the thread that sends or waits has an error at once."""
        self._is_cut = True
        end = self._stream.get_extra_info("socket") if self._stream is not None else None
        if isinstance(end, socket.socket):
            with suppress(OSError):  # it is over already
                socket.socket.shutdown(end, socket.SHUT_RDWR)  # an encrypted one's own forgets what it is

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()

    def _note(self, step: str, facts: dict[str, Any]) -> None:
        """Remember the stream of a connection that was opened; too late, it is cut before anything is sent."""
        if step.endswith(OPENED):
            self._stream = facts["return_value"]
            if self._is_cut:
                self.cut()


class _Parts(httpx2.SyncByteStream):
    """The body of an answer as it comes."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        return self._parts
