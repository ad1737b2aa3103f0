"""What every request passes first, and every answer last: whose it is, and headers that keep it apart."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from studies.serving.guard import HEADERS, is_for_us, is_from_us

_ALWAYS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class OriginGate:
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
        if scope["type"] == "http" and not self._lets_in(scope):
            answer = PlainTextResponse("This page is served under another address.\n", 403)
        await answer(scope, receive, send_all)

    def _lets_in(self, scope: Scope) -> bool:
        """Whether Host, and Origin where there is one or has to be one, are ours."""
        hosts, origins = (
            [value.decode("latin-1") for key, value in scope["headers"] if key == name] for name in (b"host", b"origin")
        )
        reads = scope["method"] in ("GET", "HEAD")
        return is_for_us(self._origin, hosts) and ((reads and not origins) or is_from_us(self._origin, origins))


def _missing(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers to add: those of every answer, and that it is not to be stored, where it does not say."""
    says = any(name.lower() == b"cache-control" for name, _ in headers)
    return _ALWAYS if says else [*_ALWAYS, (b"cache-control", b"no-store")]
