"""A server's answer as it came: untrusted, and none where it took too long or was too long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from judge.critics.openai.response import json_of


class NoAnswerError(Exception):
    """The reason why a request has no answer."""


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0  # from the request to its end

    @cached_property
    def value(self) -> object:
        """The body as JSON; None where it is none."""
        return json_of(self.body)
