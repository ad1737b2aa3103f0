"""How a server is asked: everything that helps, less what it refuses.

A form is what a request asks for beside the question. It becomes smaller where a server refuses a part of it; what was
accepted once is the form of all further questions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from typing import Any
from uuid import uuid4

from judge.critics.critic import CriticError
from judge.critics.openai.problem import Problem
from judge.pair_questions import AnyQuestion

MOST_LOGPROBS, FEWER_LOGPROBS = 20, 5  # the most that the protocol allows, and that careful servers do
OWN = ("messages", "model", "stream", "n")  # fields that are the question's or decide what an answer is
INVALID = (400, 422)  # of what may refuse a part of a request in words
PICTURE = f"picture {uuid4().hex}"  # stands for a picture in messages; in no words, which cannot know it

_FEWER = re.compile(r"top_?log_?probs|\bmax|\bmost\b|\bless\b|greater|\b5\b", re.IGNORECASE)
_LOGPROBS = re.compile(r"log_?\s?-?prob", re.IGNORECASE)
_LIMIT = re.compile(r"max_tokens|max_completion_tokens", re.IGNORECASE)
_TEMPERATURE = re.compile(r"temperature|sampl", re.IGNORECASE)
_SYSTEM = re.compile(r"\bsystem\b|\brole", re.IGNORECASE)


@dataclass(frozen=True)
class RequestForm:
    """What a request asks for beside its question."""

    logprobs: int = MOST_LOGPROBS  # of every token; 0: none
    limit: str = "max_tokens"  # the name of the limit of tokens
    temperature: bool = True  # whether it is sent, as 0
    system: bool = True  # whether the system message has a turn of its own

    @property
    def given_up(self) -> str:
        """What this form is without, or has in place of something else, in words; empty of the whole form."""
        parts = []
        if self.logprobs != MOST_LOGPROBS:
            parts.append(f"top_logprobs {self.logprobs}" if self.logprobs else "no log-probabilities: its words decide")
        if self.limit != "max_tokens":
            parts.append(f"{self.limit} in place of max_tokens")
        if not self.temperature:
            parts.append("no temperature: its own decides")
        if not self.system:
            parts.append("no system turn: its words begin the question")
        return ", ".join(parts)

    def body(self, model: str, messages: list[dict[str, Any]], max_tokens: int) -> dict[str, Any]:
        """A request as the protocol has it."""
        body: dict[str, Any] = {"model": model, "messages": messages, self.limit: max_tokens}
        if self.temperature:
            body["temperature"] = 0
        if self.logprobs:
            body |= {"logprobs": True, "top_logprobs": self.logprobs}
        return body


@dataclass(frozen=True)
class SmallerForm:
    """A form to try in place of one that was refused."""

    form: RequestForm
    is_named: bool  # whether the refusal's words say what it is without; else it is a guess


def smaller_forms(form: RequestForm, problem: Problem) -> Iterator[SmallerForm]:
    """The forms to try after a server refused one, the likeliest first.

    Where its words name nothing, it may be the log-probabilities, which are what servers lack most, and of which some
    give 5 where they refuse 20.
    """
    words, invalid = problem.words, problem.status in INVALID
    if not invalid and problem.status != 403 and not 500 <= problem.status < 600:
        return
    if invalid and form.limit == "max_tokens" and _LIMIT.search(words):
        yield SmallerForm(replace(form, limit="max_completion_tokens"), is_named=True)
    if invalid and form.temperature and _TEMPERATURE.search(words):
        yield SmallerForm(replace(form, temperature=False), is_named=True)
    if form.system and _SYSTEM.search(words):
        yield SmallerForm(replace(form, system=False), is_named=True)
    named = bool(_LOGPROBS.search(words))
    if invalid and form.logprobs > FEWER_LOGPROBS and (_FEWER.search(words) or not named):
        yield SmallerForm(replace(form, logprobs=FEWER_LOGPROBS), is_named=named)
    if form.logprobs:
        yield SmallerForm(replace(form, logprobs=0), is_named=named)


def messages_of(question: AnyQuestion, *, system: bool) -> list[dict[str, Any]]:
    """A question as a conversation, with marks for its pictures; without a turn for the system its words begin it."""
    own_turn = bool(question.system) and system
    before, *rest = question.parts
    parts: list[Mapping[str, Any]] = [
        _words(before if own_turn or not question.system else f"{question.system}\n\n{before}")
    ]
    for words in rest:
        parts += [_PICTURE, _words(words)]
    turns = [{"role": "system", "content": question.system}] if own_turn else []
    return [*turns, {"role": "user", "content": [part for part in parts if part.get("text") != ""]}]


def with_extras(body: Mapping[str, Any], extras: Mapping[str, Any]) -> dict[str, Any]:
    """A request with fields of the user's, which go before ours; ``null`` takes one of ours out."""
    return {name: value for name, value in {**body, **extras}.items() if value is not None}


def packed(body: Mapping[str, Any], pictures: Sequence[bytes]) -> bytes:
    """A request as it is sent, with pictures, which are JSON already, where their marks stand."""
    words = json.dumps(body).encode().split(json.dumps(PICTURE).encode())
    return b"".join(chain.from_iterable(zip_longest(words, pictures, fillvalue=b"")))


def check_extras(extras: Mapping[str, Any]) -> None:
    """Refuse fields of the user's in place of those that make a request a question.

    Raises:
        CriticError: there is one.
    """
    if own := [name for name in OWN if name in extras]:
        raise CriticError(f"--extra-body holds {', '.join(own)}; accepted are fields other than {', '.join(OWN)}")


def _words(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


_PICTURE: Mapping[str, Any] = {"type": "image_url", "image_url": {"url": PICTURE}}
