"""What a rater's page sends: small JSON documents, checked to the last field before anything is done."""

from __future__ import annotations

import asyncio
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import ClientDisconnect, Request

from studies.rater.design import VoteAnswer
from studies.rater.packet_format import PacketScreen, first_complaint
from studies.rater.votes import MOST_SECONDS, Screen
from studies.serving.refusals import RefusalError

LONGEST = 4096  # bytes of a body; a vote has some 300
PATIENCE = 10.0  # seconds for which a body is waited for

B = TypeVar("B", bound=BaseModel)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class NothingBody(_Body):
    """What tells nothing but that it was sent: consent, undo."""


class VoteBody(_Body):
    """A rater's answer to the trial that their page shows."""

    trial: Annotated[int, Field(ge=0, le=1_000_000)]
    answer: VoteAnswer
    seconds: Annotated[float, Field(ge=0, le=MOST_SECONDS, allow_inf_nan=False)]
    screen: PacketScreen

    def as_screen(self) -> Screen:
        """How the pictures were shown."""
        return Screen(**self.screen.model_dump())


async def read_body(request: Request, kind: type[B]) -> B:
    """Read what a request brings; no body at all is an empty document.

    Raises:
        RefusalError: it is too large or too slow, no JSON, or not a document of this kind.
    """
    text = await _read(request)
    if text and request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusalError(415, "Accepted is application/json.")
    try:
        return kind.model_validate_json(text or b"{}")
    except ValidationError as error:
        raise RefusalError(400, f"That is not what the page sends: {first_complaint(error)[:200]}") from None


async def _read(request: Request) -> bytes:
    """The bytes of a body; reading stops where it is too large."""
    parts = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for part in request.stream():
                parts += part
                if len(parts) > LONGEST:
                    raise RefusalError(413, f"At most {LONGEST} bytes are taken.", last=True)
    except TimeoutError:
        raise RefusalError(408, "The rest did not come.", last=True) from None
    except ClientDisconnect:
        raise RefusalError(400, "The rest did not come.", last=True) from None
    return bytes(parts)
