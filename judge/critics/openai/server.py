"""One server: it is asked in the form that it takes, and again where a failure may pass."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from judge.critics.critic import CriticError
from judge.critics.openai.address import Address
from judge.critics.openai.answer import Answer, NoAnswerError
from judge.critics.openai.connection import Connection
from judge.critics.openai.key import authorisation, key_variables
from judge.critics.openai.models import find_model
from judge.critics.openai.negotiation import Negotiation
from judge.critics.openai.problem import Problem, problem_of
from judge.critics.openai.request import RequestForm, packed, with_extras
from judge.critics.openai.retry import waits
from judge.critics.openai.settings import ServedSettings

Messages = Callable[
    ..., list[dict[str, Any]]
]  # a question's, with marks for its pictures; ``system``: with a turn of its own for the system


class QuestionFailedError(Exception):
    """Why a question has no answer; another may have one."""


class ServerFailedError(QuestionFailedError):
    """Why a question has no answer, where that is the server's fault and no other would have one either."""


class ServerRefusesError(ServerFailedError):
    """A server that refuses whoever asks."""


class Server:
    """A server's one model; threads may share it."""

    def __init__(self, url: str, settings: ServedSettings) -> None:
        """Raises a CriticError where the server cannot be reached, or has no such model."""
        self._settings = settings
        keys = " or ".join(key_variables(settings.key_variable))
        key, most = authorisation(settings.key_variable), settings.concurrency
        self._connection = Connection(Address.parse(url), key, settings.timeout, most)
        try:
            self.model = find_model(self._connection, settings.model, settings.retries, settings.backoff, keys)
        except CriticError:
            self.close()
            raise
        self._negotiation = Negotiation(self.name)
        self._negotiation_of_words = Negotiation(self.name, RequestForm(logprobs=0))

    @property
    def name(self) -> str:
        """The server as messages name it."""
        return self._connection.name

    def answer(
        self,
        messages: Messages,
        pictures: Sequence[bytes],
        stop: threading.Event,
        limit: int,
        *,
        reads_words: bool = False,
    ) -> Answer:
        """The server's answer to a question.

        Args:
            messages: the question's.
            pictures: in their order, as JSON.
            stop: whether to try no more.
            limit: tokens of the answer, at most.
            reads_words: whether the words alone are read, so that no log-probabilities of each are asked for.

        Raises:
            QuestionFailedError: there is none after all retries; or one of its subclasses.
        """

        def check() -> None:
            if stop.is_set():
                raise QuestionFailedError("it was not asked any more")

        def send(form: RequestForm) -> Answer | Problem:
            body = with_extras(
                form.body(self.model.name, messages(system=form.system), limit), self._settings.extra_body or {}
            )
            answer = self._connection.post("/chat/completions", packed(body, pictures), check)
            return problem_of(answer) or answer

        negotiation = self._negotiation_of_words if reads_words else self._negotiation
        pauses, attempts = waits(self._settings.retries, self._settings.backoff), 0
        while True:
            attempts, pause, wait = attempts + 1, next(pauses, None), 0.0
            try:
                result = negotiation.ask(send, last=pause is None)
            except NoAnswerError as error:
                fault = str(error)
            else:
                if isinstance(result, Answer):
                    return result
                if not result.passing:
                    raise _failure(result)
                fault, wait = str(result), result.wait
            if pause is None or stop.wait(max(pause, wait)):
                raise ServerFailedError(f"no answer after {attempts} attempts, the last with {fault}")

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()


def _failure(problem: Problem) -> QuestionFailedError:
    """A problem that does not pass."""
    reason = f"the server answers {problem}"
    if problem.refused:
        return ServerRefusesError(reason)
    if problem.wait:
        return ServerFailedError(f"{reason}; it asks to wait for {problem.wait:.0f} s")
    return QuestionFailedError(reason)
