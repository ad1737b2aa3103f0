"""A wire to a server: one connection, opened when it is needed, and one request at a time on it.

Nothing here looks at the time but the opening of a connection: who waits for an answer cuts the wire
(``judge.critics.openai.wires``), which ends whatever the server does, and costs a request nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpcore2
import httpx2

from judge.critics.openai.answer import Answer, NoAnswerError
from judge.critics.openai.line import Line

LONGEST = 16 * 2**20  # bytes of an answer
FAILURES = (
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
    httpx2.HTTPError,  # an answer in an encoding that it is not in
)
Opener = Callable[[httpcore2.NetworkBackend], httpcore2.ConnectionInterface]  # of connections to one server


class Wire:
    """A connection to a server, for one thread at a time; any other may cut it."""

    def __init__(self, open_connection: Opener) -> None:
        """Open none yet."""
        self._open_connection = open_connection
        self._connection: httpcore2.ConnectionInterface | None = None
        self._line = Line()

    def exchange(self, request: httpcore2.Request) -> Answer:
        """The answer to a request.

        Raises:
            NoAnswerError: it is too long.
            httpcore2.TimeoutException: no connection was opened in time.
            OSError, UnicodeError: no connection was opened; or one of ``FAILURES``.
        """
        started = time.monotonic()
        try:
            response = self._usable().handle_request(request)
            body, headers = bytearray(), httpx2.Headers(response.headers)
            try:
                for part in _plain(response, headers):
                    body += part
                    if len(body) > LONGEST:
                        raise NoAnswerError(f"an answer of more than {LONGEST // 2**20} MB")
            finally:
                response.close()
        except BaseException:
            self.close()  # in whatever state it is: the next request has a new one
            raise
        return Answer(response.status, bytes(body), headers, time.monotonic() - started)

    def cut(self) -> None:
        """End what is on its way, for good: the thread that sends or waits has an error at once."""
        self._line.cut()

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _usable(self) -> httpcore2.ConnectionInterface:
        """The connection, or a new one where the server may have closed it."""
        if self._connection is not None and (self._connection.is_closed() or self._connection.has_expired()):
            self.close()
        if self._connection is None:
            self._connection = self._open_connection(self._line)
        return self._connection


def _plain(response: httpcore2.Response, headers: httpx2.Headers) -> Iterator[bytes]:
    """The parts of an answer's body as they come, decoded where they are in an encoding that nobody asked for."""
    if "Content-Encoding" not in headers:
        return response.iter_stream()
    return httpx2.Response(response.status, headers=headers, stream=_Parts(response.iter_stream())).iter_bytes()


class _Parts(httpx2.SyncByteStream):
    """The body of an answer as it comes."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        return self._parts
