"""A picture on its way: handed on in parts, so that whoever takes none of it holds no more than one in memory."""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_CHUNK = 1 << 16  # bytes


class PictureResponse(Response):
    """A PNG, each part of which is sent once the one before has gone out."""

    media_type = "image/png"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        whole = memoryview(self.body)
        for first in range(0, len(whole), _CHUNK):
            await send({"type": "http.response.body", "body": bytes(whole[first : first + _CHUNK]), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
