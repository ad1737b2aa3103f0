"""A study in browsers: one process of ``lorarar study run`` for each connection, under the code of its token.

A link ``/?token=…`` becomes a cookie, which page and websocket need. Only the page, its static files and the
websocket are answered; connections are capped; a connection that breaks loses nothing, since votes are on disk.
"""

from __future__ import annotations

import copy
import logging
import os
import shlex
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from textual_serve.server import Server

from lorarar.util.errors import reason
from studies.errors import StudyError
from studies.serving.guard import headers, is_ours
from studies.serving.tokens import code_of

COOKIE = "lorarar_rater"
ICON = "/favicon.ico"  # not there, but browsers ask, and complain where they are refused
OPEN = ("/static/", ICON)
MOST = 32  # connections at a time; each is a process
CODE = web.RequestKey("code", str)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class StudyService:
    """A study in browsers: to whom, where, and to how many at a time."""

    study: str
    database: Path
    tokens: Mapping[str, str]  # codes by token
    origin: str  # of the page, as browsers name it
    host: str
    port: int
    most: int = MOST


def command_for(service: StudyService, code: str) -> str:
    """The voting screens for one rater, as a shell's line; half cells are what comes through to a browser."""
    words = [sys.executable, "-m", "lorarar", "study", "run", service.study, "--rater", code]
    return shlex.join([*words, "--images", "half", "--db", str(service.database.resolve())])


class StudyServer(Server):  # type: ignore[misc]
    """textual-serve's server for one study."""

    def __init__(self, service: StudyService, command: Callable[[str], str] | None = None) -> None:
        super().__init__("", service.host, service.port, "A study", service.origin)
        self.service = service
        self._command = command or (lambda code: command_for(service, code))
        self._open = 0

    async def application(self) -> web.Application:
        """textual-serve's application behind our checks."""
        application: web.Application = await self._make_app()
        application.router.add_get(ICON, _no_icon)
        application.middlewares.append(self._guarded)
        return application

    async def on_startup(self, app: web.Application) -> None:
        """Print nothing; the command line does."""

    def initialize_logging(self) -> None:
        """Log warnings alone, since requests name tokens."""
        logging.basicConfig(level=logging.WARNING)

    async def handle_websocket(self, request: web.Request) -> web.StreamResponse:
        """Open the voting screens under the code of the request's cookie."""
        if self._open >= self.service.most:
            return _refusal(503, "All places are taken; try again in a while.")
        rater = copy.copy(self)
        rater.command = self._command(request[CODE])
        self._open += 1
        try:
            return await Server.handle_websocket(rater, request)  # type: ignore[no-any-return]
        finally:
            self._open -= 1

    @property
    def _guarded(self) -> Any:
        """The middleware that checks a request before it is answered."""

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            response = await self._checked(request, handler)
            if not response.prepared:
                response.headers.update(headers(self.service.origin))
            return response

        return guarded

    async def _checked(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The answer to a request, or its refusal."""
        websocket = request.path == "/ws"
        if not is_ours(self.service.origin, request.headers.get("Host"), request.headers.get("Origin"), websocket):
            return _refusal(403, "This page is served under another address.")
        if request.method != "GET" or not (websocket or request.path == "/" or request.path.startswith(OPEN)):
            return _refusal(404, "There is nothing here.")
        if request.path.startswith(OPEN):
            return await handler(request)
        if "token" in request.query:
            return self._welcome(request.query["token"])
        code = code_of(request.cookies.get(COOKIE, ""), self.service.tokens)
        if code is None:
            return _refusal(403, "Open the link that you were given.")
        request[CODE] = code
        return await handler(request)

    def _welcome(self, token: str) -> web.Response:
        """Move the token from the address to a cookie."""
        if code_of(token, self.service.tokens) is None:
            return _refusal(403, "This link is not valid.")
        response = web.Response(status=303, headers={"Location": "/"})
        secure = self.service.origin.startswith("https")
        response.set_cookie(COOKIE, token, httponly=True, samesite="Strict", secure=secure)
        return response


async def _no_icon(request: web.Request) -> web.Response:
    return web.Response(status=204)


def serve(service: StudyService) -> None:
    """Serve until interrupted.

    Raises:
        StudyError: the address cannot be listened on.
    """
    os.environ["TEXTUAL_ANIMATIONS"] = "none"
    server = StudyServer(service)
    server.initialize_logging()
    with redirect_stdout(sys.stderr):  # textual-serve says there what the voting processes said on stderr
        try:
            web.run_app(
                server.application(), host=service.host, port=service.port, access_log=None, print=lambda *_: None
            )
        except OSError as error:
            raise StudyError(f"cannot listen on {service.host}, port {service.port}: {reason(error)}") from None


def _refusal(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text + "\n")
