"""Settings of critics behind a server: each once, with its default and what users are told of it."""

from __future__ import annotations

from dataclasses import dataclass

from judge.critics.preparation import SIDE_OPTION
from lorarar.util.options import Option, field_of, options_in

_KEY = "The environment variable with the server's key."


@dataclass(frozen=True)
class ServedSettings:
    """How a critic behind a server is asked; image mode, device and dtype are its server's own."""

    side: int = field_of(SIDE_OPTION)
    model: str | None = field_of(Option("model", "Which of a server's models.", "text", default_words="its first"))
    concurrency: int = field_of(
        Option("concurrency", "Questions in flight, to a server.", "integer", default=8, least=1)
    )
    timeout: float = field_of(Option("timeout", "Seconds a server may be silent.", default=120.0, above=0, finite=True))
    retries: int = field_of(Option("retries", "Attempts after the first.", "integer", default=4, least=0))
    backoff: float = field_of(  # and twice as long each time
        Option("backoff", "Seconds before the first retry.", default=1.0, least=0, finite=True)
    )
    key_variable: str = field_of(Option("key_variable", _KEY, "text", default="LORARAR_API_KEY"))


SERVED_OPTIONS = options_in(ServedSettings)


def is_address(name: str) -> bool:
    """Whether a critic of that name is behind a server."""
    return name.startswith(("http://", "https://"))
