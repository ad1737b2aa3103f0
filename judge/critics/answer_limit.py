"""How long a critic's answer may be."""

from __future__ import annotations

from lorarar.util.options import Option

MAX_TOKENS = 8  # Yes or No and an end; more only shows that it is something else, unless the critic thinks first
MAX_TOKENS_OPTION = Option(
    "max_tokens",
    "Tokens of an answer, thoughts among them, at most.",
    "integer",
    default=MAX_TOKENS,
    least=1,
)
