"""The page's HTTP interface: what is answered at which address, and to whom."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from studies.serving.bodies import NothingBody, VoteBody, read_body
from studies.serving.desk import State, StudyDesk
from studies.serving.doorkeeper import Doorkeeper
from studies.serving.guard import HEADERS, is_for_us, is_from_us
from studies.serving.page_files import INDEX, PageFile
from studies.serving.places import Place, Places
from studies.serving.refusals import NO_LINK, RefusalError

_PICTURE = re.compile(r"([0-9a-f]{64})\.png")
_FOR_EVER = "private, max-age=31536000, immutable"
_CHUNK = 1 << 16  # bytes of a picture that are handed on at a time: a slow reader holds no more of it in memory
_SPOKEN_TO = {"/state", "/consent", "/vote", "/undo"}  # by the page's script, so in JSON


class StudyPage:
    """Answers requests for one study.

    Args:
        desk: asks the study.
        doorkeeper: tells raters by their tokens.
        places: who is voting.
        files: the page's own.
        origin: of the page, as browsers name it.
    """

    def __init__(
        self, desk: StudyDesk, doorkeeper: Doorkeeper, places: Places, files: dict[str, PageFile], origin: str
    ) -> None:
        self._desk, self._doorkeeper, self._places, self._files = desk, doorkeeper, places, files
        self._origin = origin
        self._cookie = f"lorarar_{desk.study.design.digest[:16]}"  # a host may serve several studies

    def application(self) -> ASGIApp:
        """All of it, behind the checks that every request has to pass."""
        routes = [
            Route("/", self.index, methods=["GET"]),
            Route("/page/{name}", self.file, methods=["GET"]),
            Route("/picture/{name}", self.picture, methods=["GET"]),
            Route("/state", self._told(self.state), methods=["GET"]),
            Route("/consent", self._told(self.consent), methods=["POST"]),
            Route("/vote", self._told(self.vote), methods=["POST"]),
            Route("/undo", self._told(self.undo), methods=["POST"]),
        ]
        handlers: Any = {RefusalError: _refused, HTTPException: _unknown, Exception: _failed}
        application = Starlette(routes=routes, exception_handlers=handlers)
        application.router.redirect_slashes = False
        return Guarded(application, self._origin)

    async def index(self, request: Request) -> Response:
        """The page; or, with a token in the address, the way to it."""
        token = request.query_params.get("token")
        if token is not None:
            return await self._welcome(token)
        code = self._code(request)
        with self._places.taken(code):
            await self._desk.check_rater(code)
        return self._file(INDEX)

    async def file(self, request: Request) -> Response:
        """A file of the page; it tells nothing, so no token is needed."""
        return self._file(request.path_params["name"])

    async def picture(self, request: Request) -> Response:
        """A picture of the study."""
        name = _PICTURE.fullmatch(request.path_params["name"])
        with self._places.taken(self._code(request)):
            if name is None:
                raise HTTPException(404)
            return PictureResponse(await self._desk.picture(name[1]), headers={"Cache-Control": _FOR_EVER})

    async def state(self, place: Place, request: Request) -> State:
        """Where the rater is."""
        return await self._desk.state(place)

    async def consent(self, place: Place, request: Request) -> State:
        """The rater agrees to take part."""
        await read_body(request, NothingBody)
        return await self._desk.consent(place)

    async def vote(self, place: Place, request: Request) -> State:
        """The rater answers the trial that their page shows."""
        return await self._desk.vote(place, await read_body(request, VoteBody))

    async def undo(self, place: Place, request: Request) -> State:
        """The rater goes back to the answer before."""
        await read_body(request, NothingBody)
        return await self._desk.undo(place)

    def _told(self, asked: Callable[[Place, Request], Awaitable[State]]) -> Callable[[Request], Awaitable[Response]]:
        """Answer with the state that comes of a request, one request of a rater after the other."""

        async def told(request: Request) -> Response:
            with self._places.taken(self._code(request)) as place:
                async with place.turn:
                    return JSONResponse(await asked(place, request))

        return told

    async def _welcome(self, token: str) -> Response:
        """Move the token from the address to a cookie."""
        code = self._doorkeeper.code_of(token)
        if code is None:
            raise RefusalError(403, "This link is not valid.")
        await self._desk.check_rater(code)
        response = RedirectResponse("/", 303)
        secure = self._origin.startswith("https")
        response.set_cookie(self._cookie, token, httponly=True, samesite="strict", secure=secure)
        return response

    def _file(self, name: str) -> Response:
        file = self._files.get(name)
        if file is None:
            raise HTTPException(404)
        return Response(file.content, media_type=file.media_type)

    def _code(self, request: Request) -> str:
        """The code of the rater who asks."""
        code = self._doorkeeper.code_of(request.cookies.get(self._cookie, ""))
        if code is None:
            raise RefusalError(403, NO_LINK)
        return code


class Guarded:
    """An application that answers requests for its own origin alone, and sends ``HEADERS`` with every answer."""

    def __init__(self, application: ASGIApp, origin: str) -> None:
        self._application, self._origin = application, origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def send_all(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_missing(message.get("headers", ()))]
            await send(message)

        answer = self._application
        if scope["type"] == "http" and not self._is_sound(scope):
            answer = PlainTextResponse("This page is served under another address.\n", 403)
        await answer(scope, receive, send_all)

    def _is_sound(self, scope: Scope) -> bool:
        """Whether Host, and Origin where there is one or has to be one, are ours."""
        hosts, origins = (
            [value.decode("latin-1") for key, value in scope["headers"] if key == name] for name in (b"host", b"origin")
        )
        reads = scope["method"] in ("GET", "HEAD")
        return is_for_us(self._origin, hosts) and ((reads and not origins) or is_from_us(self._origin, origins))


class PictureResponse(Response):
    """A PNG that is handed on in parts, each once the one before has gone out."""

    media_type = "image/png"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        whole = memoryview(self.body)
        for first in range(0, len(whole), _CHUNK):
            await send({"type": "http.response.body", "body": bytes(whole[first : first + _CHUNK]), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


_ALWAYS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


def _missing(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers that are added: those of every answer, and that nothing is kept, where an answer does not say."""
    kept = any(name.lower() == b"cache-control" for name, _ in headers)
    return _ALWAYS if kept else [*_ALWAYS, (b"cache-control", b"no-store")]


async def _refused(request: Request, refusal: RefusalError) -> Response:
    return refusal.response(request.url.path in _SPOKEN_TO)


async def _unknown(request: Request, error: HTTPException) -> Response:
    words = {404: "There is nothing here.", 405: "That cannot be asked here."}
    return PlainTextResponse(f"{words.get(error.status_code, error.detail)}\n", error.status_code, error.headers)


async def _failed(request: Request, error: Exception) -> Response:
    return RefusalError(500, "Something went wrong; try again.").response(request.url.path in _SPOKEN_TO)
