"""The line under a wire: the socket of its one connection, which waits as long as it takes, and can be cut.

httpcore2's own streams set a time limit before they send and before they receive, each of which gives the interpreter
away and waits for it: with many wires that is most of what a request costs. Here nothing looks at the time but the
opening; who waits for an answer cuts the line.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import httpcore2


class Line(httpcore2.NetworkBackend):
    """Opens the socket of one connection at a time; any thread may cut it, for good."""

    def __init__(self) -> None:
        """Nothing is open yet."""
        self._socket: socket.socket | None = None
        self._is_cut = False

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Open a socket; too late, it is cut before anything is sent."""
        stream = httpcore2.SyncBackend().connect_tcp(host, port, timeout, local_address, socket_options)
        return LineStream(stream, self)

    def use(self, end: socket.socket) -> None:
        """Take a socket for the one in use, without a limit of time from now on."""
        self._socket = end
        end.settimeout(None)
        if self._is_cut:
            self.cut()

    def cut(self) -> None:
        """End what is on its way, and what will be: the thread that sends or waits has an error at once."""
        self._is_cut = True
        if self._socket is not None:
            with suppress(OSError):  # it is over already
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # an encrypted one's own forgets what it is


class LineStream(httpcore2.NetworkStream):
    """What goes over a line, in whatever httpcore2 has wrapped its socket."""

    def __init__(self, stream: httpcore2.NetworkStream, line: Line) -> None:
        """``stream`` is httpcore2's own of the socket."""
        self._stream, self._line = stream, line
        self._socket = stream.get_extra_info("socket")
        self._is_bare = stream.get_extra_info("ssl_object") is None or isinstance(self._socket, ssl.SSLSocket)
        line.use(self._socket)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What came, at most so many bytes."""
        if not self._is_bare:  # encrypted twice, within an encrypted proxy's
            return self._stream.read(max_bytes, timeout)
        try:
            return bytes(self._socket.recv(max_bytes))
        except OSError as error:
            raise httpcore2.ReadError(error) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of some bytes."""
        if not self._is_bare:
            return self._stream.write(buffer, timeout)
        try:
            self._socket.sendall(buffer)
        except OSError as error:
            raise httpcore2.WriteError(error) from error

    def close(self) -> None:
        """Close the socket."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """The stream encrypted from now on."""
        return LineStream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._line)

    def get_extra_info(self, info: str) -> Any:
        """As httpcore2's own stream has it."""
        return self._stream.get_extra_info(info)
