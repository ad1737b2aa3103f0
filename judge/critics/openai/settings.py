"""Settings of critics behind a server: each with its default here, and what users are told of it below."""

from __future__ import annotations

from dataclasses import dataclass

from judge.critics.preparation import SIDE, SIDE_OPTION
from lorarar.util.options import Option


@dataclass(frozen=True)
class ServedSettings:
    """How a critic behind a server is asked; image mode, device and dtype are its server's own."""

    side: int = SIDE  # of a picture, at most, in pixels
    model: str | None = None  # by default the first one the server names
    concurrency: int = 8  # questions in flight
    timeout: float = 120.0  # seconds a server may be silent
    retries: int = 4  # after the first attempt
    backoff: float = 1.0  # seconds before the first retry, then twice as long each time
    key_variable: str = "LORARAR_API_KEY"  # the environment variable with the key, if the server asks for one


SERVED_OPTIONS = (
    SIDE_OPTION,
    Option("model", "Which of a server's models.", "text", default_words="its first"),
    Option("concurrency", "Questions in flight, to a server.", "integer", default=ServedSettings.concurrency, least=1),
    Option("timeout", "Seconds a server may be silent.", default=ServedSettings.timeout, above=0, finite=True),
    Option("retries", "Attempts after the first.", "integer", default=ServedSettings.retries, least=0),
    Option("backoff", "Seconds before the first retry.", default=ServedSettings.backoff, least=0, finite=True),
    Option(
        "key_variable",
        "The environment variable with the server's key.",
        "text",
        default=ServedSettings.key_variable,
    ),
)


def is_address(name: str) -> bool:
    """Whether a critic of that name is behind a server."""
    return name.startswith(("http://", "https://"))
