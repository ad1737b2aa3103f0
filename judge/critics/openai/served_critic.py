"""A critic behind servers that speak OpenAI's protocol (vLLM, SGLang, llama.cpp, Ollama, …).

What may pass (429, 5xx, a lost connection, silence) is tried again a bounded number of times; then, and for anything
else, the reply is ``failed``. How a server cuts pictures and where it puts them among the words is its own setting and
cannot be seen from here; its name and version are recorded, its address is not: servers of one model are one judge.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from judge.critics.batching import in_order
from judge.critics.chat import refuse_marks
from judge.critics.critic import Critic, CriticError
from judge.critics.openai.models import AwayError, ServedModel
from judge.critics.openai.replicas import Sharing
from judge.critics.openai.request import check_extras, messages_of
from judge.critics.openai.response import writing_of
from judge.critics.openai.sent_pictures import SentPictures
from judge.critics.openai.server import QuestionFailedError, Server, ServerFailedError
from judge.critics.openai.settings import ServedSettings
from judge.critics.preparation import Preparation
from judge.identity import NOT_SAID
from judge.pair_questions import AnyQuestion
from judge.questions import PromptError, Reply
from judge.reading import read
from lorarar.util.errors import ImageError
from lorarar.util.messages import message, message_once

AHEAD = 2  # questions at work for each that is on its way: others are made ready, so that no wire waits for one
REFUSALS = 3  # in a row, after which a server that refuses whoever asks is asked no more


class ServedCritic(Critic):
    """A model behind an address such as ``http://localhost:8000/v1``, or several, asked several questions at a time."""

    takes_pairs = True

    def __init__(self, addresses: str, settings: ServedSettings) -> None:
        """Open it; of several servers one that cannot be reached now is left out, which is told.

        Raises:
            CriticError: no server can be reached, or one has no such model or differs from the others.
        """
        check_extras(settings.extra_body or {})
        self.settings = settings
        self.preparation = Preparation(settings.side)
        self._pictures = SentPictures(self.preparation)
        self._servers: list[Server] = []
        try:
            self._reach(dict.fromkeys(part.strip() for part in addresses.split(",")))
            model = _one_model(self._servers)
        except BaseException:
            self.close()
            raise
        self.identity = MappingProxyType(_identity(model, settings))
        places = ", ".join(server.name for server in self._servers)
        message_once(f"critic: {model}, at {places}")

    def _reach(self, urls: Iterable[str]) -> None:
        """Add the servers at addresses, as far as any can be reached."""
        away: list[AwayError] = []
        for url in urls:
            try:
                self._servers.append(Server(url, self.settings))
            except AwayError as error:
                away.append(error)
        if not self._servers:
            raise away[0]
        for why in away:
            message(f"{why}; it is left out", "yellow")

    def ask(self, questions: Sequence[AnyQuestion]) -> Iterator[tuple[int, Reply]]:
        parts = iter([questions])
        return self.ask_parts(lambda: next(parts, ()))

    def ask_parts(self, take: Callable[[], Sequence[AnyQuestion]]) -> Iterator[tuple[int, Reply]]:
        questions: list[AnyQuestion] = []
        at_work = AHEAD * self.settings.concurrency
        sharing = Sharing(self._servers, at_work, lambda index, *rest: self._reply(questions[index], *rest))
        try:
            while True:
                while not sharing.is_busy and (part := take()):
                    order = [len(questions) + at for at in in_order(part)]  # servers too reuse what questions share
                    questions.extend(part)
                    sharing.add(order)
                if (result := sharing.outcome()) is None:
                    return
                index, outcome = result
                yield index, outcome if isinstance(outcome, Reply) else Reply.failure(str(outcome))
        finally:
            sharing.close()

    def close(self) -> None:
        for server in self._servers:
            server.close()

    def _reply(self, question: AnyQuestion, server: Server, stop: threading.Event) -> Reply:
        """A server's reply to a question; raises a ServerFailedError where another server may have one."""
        started, limit = time.monotonic(), question.form.limit(self.settings.max_tokens)
        try:
            pictures = [self._pictures(path) for path in question.pictures]
            refuse_marks(f"{question.system}\n{''.join(question.parts)}")
            messages, in_words = partial(messages_of, question), bool(question.form.pattern)
            answer = server.answer(messages, pictures, stop, limit, reads_words=in_words)
        except ServerFailedError:
            raise
        except (ImageError, PromptError, QuestionFailedError) as error:
            return Reply.failure(str(error), time.monotonic() - started)
        writing = writing_of(answer.value, limit, question.form)
        if writing is None:
            return Reply.failure("the server's answer is no JSON with a choice and its message", answer.seconds)
        return read(writing, answer.seconds, question.form)


def open_served(addresses: str, settings: Mapping[str, Any]) -> ServedCritic:
    """The critic behind an address, or behind several with commas between, with all settings by name.

    Raises:
        CriticError: it cannot be reached.
    """
    return ServedCritic(addresses, ServedSettings(**settings))


def _one_model(servers: Sequence[Server]) -> ServedModel:
    """The model that all servers have.

    Raises:
        CriticError: one has another, or another version of what serves it.
    """
    first = next((server for server in servers if server.model.version != NOT_SAID), servers[0])
    for server in servers:
        if server.model not in (first.model, ServedModel(first.model.name, first.model.backend, NOT_SAID)):
            others = f"{first.name} has {first.model} and {server.name} has {server.model}"
            raise CriticError(f"servers of one critic have one model and version: {others}")
    return first.model


def _identity(model: ServedModel, settings: ServedSettings) -> dict[str, str]:
    """What decides the answers; what nobody asked for before has no place in it, so that keys stay as they are."""
    identity = {
        "critic": model.name,
        "revision": "as served",
        "backend": model.backend,
        "backend version": model.version,
        "image mode": "as served",
        "side": str(settings.side),
        "answer": "logprobs or text",
    }
    if settings.extra_body:
        identity["extra body"] = json.dumps(settings.extra_body, sort_keys=True)
    return identity
