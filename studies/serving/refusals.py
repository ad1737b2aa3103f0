"""A request that is not answered as asked: a status and one line, which tells raters nothing of this machine."""

from __future__ import annotations

from starlette.responses import JSONResponse, PlainTextResponse, Response

NO_LINK = "Open the link that you were given."
FULL = "All places are taken; try again in a while."
BUSY = "Too much at once; try again."
GONE = "You no longer take part in this study, and nothing is kept of you."
CLOSED = "This study is closed; thank you for your help."
UNREADABLE = "The study cannot be reached just now; try again."
UNWRITABLE = "The study cannot be written to just now; try again."
NOT_AGREED = "Nothing is kept before you have agreed to take part."
BEHIND = "This was answered in another window; here is where you are."

SETTLED = "This answer was given too often; it stays as it was."


class RefusalError(Exception):
    """Why a request is refused.

    Args:
        status: of HTTP.
        text: one line for the rater.
        state: where the rater is, if that is to be shown.
        last: whether the connection ends with it, because what was sent is not read to its end.
    """

    def __init__(self, status: int, text: str, state: object = None, *, last: bool = False) -> None:
        super().__init__(text)
        self.status, self.text, self.state, self.last = status, text, state, last

    def response(self, as_json: bool) -> Response:
        """What is answered."""
        headers = {"Connection": "close"} if self.last else None
        if not as_json:
            return PlainTextResponse(self.text + "\n", self.status, headers)
        content = {"error": self.text} if self.state is None else {"error": self.text, "state": self.state}
        return JSONResponse(content, self.status, headers)
