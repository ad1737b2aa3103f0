"""The page's HTTP interface: what is answered at which address, and to whom."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from studies.serving.bodies import B, NothingBody, VoteBody, read_body
from studies.serving.desk import State, StudyDesk
from studies.serving.doorkeeper import Doorkeeper
from studies.serving.origin_gate import OriginGate
from studies.serving.page_files import INDEX, PageFile
from studies.serving.picture_response import PictureResponse
from studies.serving.places import Places, RaterPlace
from studies.serving.refusals import NO_LINK, RefusalError

_PICTURE = re.compile(r"([0-9a-f]{64})\.png")
_FOR_EVER = "private, max-age=31536000, immutable"
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
        desk = self._desk
        routes = [
            Route("/", self.index, methods=["GET"]),
            Route("/page/{name}", self.file, methods=["GET"]),
            Route("/picture/{name}", self.picture, methods=["GET"]),
            Route("/state", self._state_by(NothingBody, lambda place, _: desk.state(place)), methods=["GET"]),
            Route("/consent", self._state_by(NothingBody, lambda place, _: desk.consent(place)), methods=["POST"]),
            Route("/undo", self._state_by(NothingBody, lambda place, _: desk.undo(place)), methods=["POST"]),
            Route("/vote", self._state_by(VoteBody, desk.vote), methods=["POST"]),
        ]
        handlers: Any = {RefusalError: _refused, HTTPException: _unknown, Exception: _failed}
        application = Starlette(routes=routes, exception_handlers=handlers)
        application.router.redirect_slashes = False
        return OriginGate(application, self._origin)

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

    def _state_by(
        self, kind: type[B], act: Callable[[RaterPlace, B], Awaitable[State]]
    ) -> Callable[[Request], Awaitable[Response]]:
        """What answers with the state that an act leads to, one act of a rater after the other."""

        async def answer(request: Request) -> Response:
            with self._places.taken(self._code(request)) as place:
                body = await read_body(request, kind)
                async with place.turn:
                    return JSONResponse(await act(place, body))

        return answer

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
        """The code of the rater who asks.

        Raises:
            RefusalError: they have no valid token.
        """
        code = self._doorkeeper.code_of(request.cookies.get(self._cookie, ""))
        if code is None:
            raise RefusalError(403, NO_LINK)
        return code


async def _refused(request: Request, refusal: RefusalError) -> Response:
    return refusal.response(request.url.path in _SPOKEN_TO)


async def _unknown(request: Request, error: HTTPException) -> Response:
    words = {404: "There is nothing here.", 405: "That cannot be done here."}
    return PlainTextResponse(f"{words.get(error.status_code, error.detail)}\n", error.status_code, error.headers)


async def _failed(request: Request, error: Exception) -> Response:
    # what was sent may not have been read to its end
    return RefusalError(500, "Something went wrong; try again.", last=True).response(request.url.path in _SPOKEN_TO)
