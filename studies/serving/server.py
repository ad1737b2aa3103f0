"""A study on sockets: uvicorn within bounds of files, connections and time, which ends within three seconds."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn

from lorarar.util.errors import reason
from studies.errors import StudyError
from studies.serving.application import StudyPage
from studies.serving.complaints import Complaints
from studies.serving.connection import BoundedConnection
from studies.serving.desk import StudyDesk
from studies.serving.doorkeeper import Doorkeeper
from studies.serving.page_files import read_page_files
from studies.serving.places import Places
from studies.serving.service import StudyService
from studies.serving.tokens import TokenFile

CONNECTIONS = 2048  # at a time, where there may be so many open files
BACKLOG = 64  # connections that may be taken in one go, beyond that number
OTHER_FILES = 64  # of the database, of the page, …
HEAD_BYTES = 16 << 10  # of a request
IDLE_SECONDS = 60  # between two requests on one connection
CLOSING_SECONDS = 1  # for open requests when the server ends


class StudyServer(uvicorn.Server):
    """uvicorn, which looks once a second for connections that stand still, and lets none of them outlast it."""

    async def on_tick(self, counter: int) -> bool:
        """End what stands still."""
        if counter % 10 == 0:
            now = asyncio.get_running_loop().time()
            for connection in self._connections():
                if connection.is_standing_still(now):
                    connection.end()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what can be answered soon, and end the rest."""
        await super().shutdown(sockets)
        for connection in self._connections():
            connection.end()

    def _connections(self) -> list[BoundedConnection]:
        return [one for one in self.server_state.connections if isinstance(one, BoundedConnection)]


@contextmanager
def listening(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Sockets that listen on all addresses of a host, and are closed at the end.

    Raises:
        StudyError: one of them cannot be listened on.
    """
    sockets: list[socket.socket] = []
    try:
        try:
            kind = socket.SOCK_STREAM
            entries = socket.getaddrinfo(host or None, port, type=kind, flags=socket.AI_PASSIVE)
            for family, address in dict.fromkeys((entry[0], entry[4]) for entry in entries):
                sockets.append(_listen(family, address))
        except (OSError, UnicodeError) as error:
            raise StudyError(f"cannot listen on {host[:80]}, port {port}: {reason(error)}") from None
        yield sockets
    finally:
        for one in sockets:
            one.close()


def start(service: StudyService, sockets: Sequence[socket.socket]) -> None:
    """Serve until Ctrl-C or SIGTERM; what was acknowledged by then is on disk.

    Raises:
        LorarError: the database cannot be opened, or has no such study.
    """
    complaints = Complaints()
    desk = StudyDesk(service, complaints)
    try:
        with complaints.installed(), _interrupted_by_sigterm():
            new_server(service, desk, complaints).run(list(sockets))
    except KeyboardInterrupt:
        pass  # the way in which it ends
    finally:
        desk.close()


def new_server(service: StudyService, desk: StudyDesk, complaints: Complaints) -> StudyServer:
    """A server of a study's page, which does not run yet."""
    doorkeeper = Doorkeeper(TokenFile(service.tokens, desk.study.design.digest), complaints)
    page = StudyPage(desk, doorkeeper, Places(service.most), read_page_files(), service.origin)
    return StudyServer(
        uvicorn.Config(
            page.application(),
            loop="asyncio",
            http=BoundedConnection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            limit_concurrency=_most_connections(),
            h11_max_incomplete_event_size=HEAD_BYTES,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=CLOSING_SECONDS,
        )
    )


def _listen(family: int, address: Any) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        one.listen(BACKLOG)
    except BaseException:
        one.close()
        raise
    return one


def _most_connections() -> int:
    """So many connections as there may be open files for, of which this process may have as many as it can get."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + BACKLOG + OTHER_FILES
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return max(16, most - BACKLOG - OTHER_FILES)


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Within, SIGTERM is as Ctrl-C is: uvicorn answers both by ending, and then hands them on to whom they were for."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
