"""What a server serves: which models, whose, and in which version."""

from __future__ import annotations

import time
from dataclasses import dataclass

from judge.critics.critic import CriticError
from judge.critics.openai.answer import Answer, NoAnswerError
from judge.critics.openai.connection import Connection
from judge.critics.openai.problem import Problem, problem_of
from judge.critics.openai.retry import waits
from judge.identity import NOT_SAID
from lorarar.util.formatting import listed
from lorarar.util.messages import message
from lorarar.util.suggestion import did_you_mean

PROTOCOL = "OpenAI protocol"  # who serves a model that names nobody
LOADING = "loading"  # in the words of a server that is not ready yet
LOOK_SECONDS = 5.0  # between two looks at a server that loads, at most
VERSION_SECONDS = 10.0  # for which a version is waited for
VERSION_RETRIES = 2
NAMED = 8  # models that a message names


class AwayError(CriticError):
    """A server that cannot be reached, or is not ready."""


@dataclass(frozen=True)
class ServedModel:
    """One model of a server."""

    name: str
    backend: str  # who serves it
    version: str  # of who serves it, or ``NOT_SAID``

    def __str__(self) -> str:
        """The model in words."""
        return f"{self.name}, served by {self.backend} (version {self.version})"


def find_model(connection: Connection, name: str | None, retries: int, backoff: float, keys: str) -> ServedModel:
    """The model that a server is asked for: the one of that name, or its only one.

    Args:
        connection: to the server.
        name: of the model; None where the server has to have one alone.
        retries: after a failure that may pass; a server that loads is waited for as long as for an answer.
        backoff: seconds before the first retry.
        keys: the variables that a key is read from, in words.

    Raises:
        AwayError: the server cannot be reached, or is not ready.
        CriticError: it has no such model, or several of which none is named.
    """
    answer = _listing(connection, retries, backoff, keys)
    served = _served(answer)
    if name and (name in served or not served):
        backend = served.get(name, PROTOCOL)
    elif name:
        raise CriticError(
            f"{connection.name} has no model {name}; it has {listed(served, NAMED)}{did_you_mean(name, served)}"
        )
    elif len(served) == 1:
        name, backend = next(iter(served.items()))
    elif served:
        raise CriticError(f"{connection.name} has several models; choose one with --model: {listed(served, NAMED)}")
    else:
        status = f"{problem_of(answer) or answer.status} from {connection.address}/models"
        raise CriticError(
            f"{connection.name} names no model ({status}); an address ends in /v1 as a rule, or give the model"
        )
    return ServedModel(name, backend, _version(connection, backoff))


def _listing(connection: Connection, retries: int, backoff: float, keys: str) -> Answer:
    """A server's answer to which models it has; a refusal of the key, and what does not pass, is an error."""
    until, told = time.monotonic() + connection.timeout, False
    pauses = waits(retries, backoff)
    while True:
        try:
            answer = connection.get("/models")
        except NoAnswerError as error:
            raise AwayError(f"{connection.name} does not answer: {error}") from None
        problem = problem_of(answer)
        if problem is None or not (problem.refused or problem.passing):
            return answer
        if problem.refused:
            raise CriticError(f"{connection.name} refuses the key; it is read from the variable {keys} ({problem})")
        loads = LOADING in problem.words.lower()
        pause = min(max(backoff, 0.01), LOOK_SECONDS) if loads else next(pauses, None)
        if pause is None or (loads and time.monotonic() > until):
            raise AwayError(f"{connection.name} is not ready: {problem}")
        if not told:
            message(f"{connection.name} is not ready and is waited for: {problem}", "yellow")
            told = True
        time.sleep(max(pause, problem.wait))


def _served(answer: Answer) -> dict[str, str]:
    """The models of a listing, each with its owner; empty where it is something else."""
    models = answer.value.get("data") if isinstance(answer.value, dict) else None
    sound = [model for model in models if isinstance(model, dict) and "id" in model] if isinstance(models, list) else []
    return {str(model["id"]): str(model.get("owned_by") or PROTOCOL) for model in sound}


def _version(connection: Connection, backoff: float) -> str:
    """The server's version, as vLLM and some others have it beside ``/v1``; asked again where that may pass."""
    for pause in (0.0, *waits(VERSION_RETRIES, backoff / 2)):
        time.sleep(pause)
        try:
            answer = connection.get_beside("/version", VERSION_SECONDS)
        except NoAnswerError:
            continue
        problem: Problem | None = problem_of(answer)
        if problem is None or not problem.passing:
            value = answer.value
            return str(value["version"]) if isinstance(value, dict) and "version" in value else NOT_SAID
    return NOT_SAID
