"""Settings of critics behind a server: each once, with its default and what users are told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from judge.critics.answer_limit import MAX_TOKENS_OPTION
from judge.critics.openai.key import CUSTOMARY, KEY_VARIABLE
from judge.critics.preparation import SIDE_OPTION
from lorarar.util.options import Option, field_of, options_in

_KEY = f"The environment variable with the server's key; without it {CUSTOMARY} is read too."
_EXTRA = (
    "Fields of every request beside ours, or in place of ours, for example "
    '{"chat_template_kwargs": {"enable_thinking": false}}; null takes one of ours out.'
)


@dataclass(frozen=True)
class ServedSettings:
    """How a critic behind a server is asked; image mode, device and dtype are its server's own."""

    side: int = field_of(SIDE_OPTION)
    model: str | None = field_of(Option("model", "Which of a server's models.", "text", default_words="its only one"))
    concurrency: int = field_of(
        Option("concurrency", "Questions in flight, to a server.", "integer", default=8, least=1)
    )
    timeout: float = field_of(
        Option("timeout", "Seconds for a whole answer of a server.", default=120.0, above=0, finite=True)
    )
    retries: int = field_of(Option("retries", "Attempts after the first.", "integer", default=4, least=0))
    backoff: float = field_of(  # and twice as long each time
        Option("backoff", "Seconds before the first retry.", default=1.0, least=0, finite=True)
    )
    max_tokens: int = field_of(MAX_TOKENS_OPTION)
    extra_body: Mapping[str, Any] | None = field_of(Option("extra_body", _EXTRA, "json", default_words="none"))
    key_variable: str = field_of(Option("key_variable", _KEY, "text", default=KEY_VARIABLE))


SERVED_OPTIONS = options_in(ServedSettings)


def is_address(name: str) -> bool:
    """Whether a critic of that name is behind a server, or behind several."""
    return name.lower().startswith(("http://", "https://"))
