"""A critic behind any server that speaks OpenAI's protocol (vLLM, SGLang, llama.cpp, Ollama, …).

The verdict is read from the first token's log-probabilities where the server gives them, else from its
words, strictly. What may pass (429, 5xx, a lost connection, silence) is tried again a bounded number of
times; then, and for anything else, the reply is ``failed``. How a server cuts pictures and where it puts
them among the words is its own setting and cannot be seen from here; its name and version are recorded.
"""

from __future__ import annotations

import os
import queue
import random
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import httpx2

from judge.critics.batching import in_order
from judge.critics.chat import refuse_marks
from judge.critics.critic import Critic, CriticError
from judge.critics.openai.response import error_of, json_of, writing_of
from judge.critics.openai.settings import ServedSettings
from judge.critics.preparation import Preparation, Prepared
from judge.identity import NOT_SAID
from judge.questions import PromptError, Question, Reply
from judge.reading import read
from lorarar.util.errors import ImageError, reason

MAX_TOKENS = 8  # Yes or No and an end; more only shows that it is something else
TOP = 20  # of the first token's log-probabilities: the most that the protocol allows
LONGEST_WAIT = 60.0  # seconds between two attempts
PASSING = (408, 425, 429)  # and all of 5xx
VERSION_ATTEMPTS = 3  # to hear a server's version
VERSION_SECONDS = 10.0  # for which each of them waits


class ServedCritic(Critic):
    """A model behind a URL such as ``http://localhost:8000/v1``, asked several questions at a time."""

    def __init__(self, url: str, settings: ServedSettings) -> None:
        """Raises a CriticError where the server cannot be reached, or has no such model."""
        self.settings = settings
        self.preparation = Preparation(settings.side)
        try:
            self.url = httpx2.URL(url.rstrip("/"))
        except (httpx2.InvalidURL, ValueError) as error:
            raise CriticError(f"{url!r} is not an address: {reason(error)}") from None
        self.client = httpx2.Client(
            headers=_authorisation(settings.key_variable),
            timeout=settings.timeout,
            limits=httpx2.Limits(max_connections=settings.concurrency),
        )
        self._logprobs = True  # until the server refuses them
        try:
            self.model, backend = self._model()
        except CriticError:
            self.client.close()
            raise
        self.identity = MappingProxyType(
            {
                "critic": self.model,
                "revision": "as served",
                "backend": backend,
                "backend version": self._version(),
                "host": self.url.netloc.decode() + self.url.path.rstrip("/").removesuffix("/v1"),
                "image mode": "as served",
                "side": str(settings.side),
                "answer": "logprobs or text",
            }
        )

    def ask(self, questions: Sequence[Question]) -> Iterator[tuple[int, Reply]]:
        waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        for index in in_order(questions):  # servers too reuse what questions share at their beginning
            waiting.put(index)
        done: queue.SimpleQueue[tuple[int, Reply] | BaseException] = queue.SimpleQueue()
        stop = threading.Event()

        def work() -> None:
            try:
                while not stop.is_set():
                    index = waiting.get_nowait()
                    done.put((index, self._reply(questions[index], stop)))
            except queue.Empty:
                return
            except BaseException as error:
                done.put(error)

        for _ in range(min(self.settings.concurrency, len(questions))):
            threading.Thread(target=work, daemon=True).start()  # a daemon, so that Ctrl-C waits for no server
        try:
            for _ in questions:
                result = done.get()
                if isinstance(result, BaseException):
                    raise result
                yield result
        finally:
            stop.set()

    def close(self) -> None:
        self.client.close()

    def _reply(self, question: Question, stop: threading.Event) -> Reply:
        started = time.monotonic()
        try:
            reference, test = self.preparation(question.reference), self.preparation(question.test)
            refuse_marks(question.rendered, question.system)
            answer = self._answer(_messages(question, reference, test), stop)
        except (ImageError, PromptError, _NoAnswer) as error:
            return Reply.failure(str(error), time.monotonic() - started)
        seconds = time.monotonic() - started
        writing = writing_of(answer, MAX_TOKENS)
        if writing is None:
            return Reply.failure("the server's answer is no JSON with a choice and its message", seconds)
        return read(writing, seconds)

    def _answer(self, messages: list[dict[str, Any]], stop: threading.Event) -> object:
        """The server's answer to a conversation.

        Raises:
            _NoAnswer: nothing came, or an error, after all retries.
        """
        request = {"model": self.model, "messages": messages, "temperature": 0, "max_tokens": MAX_TOKENS}
        asked_for_logprobs = self._logprobs
        more = {"logprobs": True, "top_logprobs": TOP} if asked_for_logprobs else {}
        response = self._post(request | more, stop)
        if asked_for_logprobs and response.status_code in (400, 422):
            response = self._post(request, stop)
            if response.is_success:
                self._logprobs = False
        if not response.is_success:
            raise _NoAnswer(f"the server answers {response.status_code}: {error_of(response.content)}")
        return json_of(response.content)

    def _post(self, request: dict[str, Any], stop: threading.Event) -> httpx2.Response:
        """The first answer that is not a passing failure, or the last one."""
        attempts = self.settings.retries + 1
        for attempt in range(attempts):
            asked_to_wait = 0.0
            try:
                response = self.client.post(f"{self.url}/chat/completions", json=request)
            except httpx2.RequestError as error:
                fault = f"{type(error).__name__}: {reason(error)}"
            else:
                if not _may_pass(response):
                    return response
                fault = f"{response.status_code}: {error_of(response.content)}"
                asked_to_wait = _seconds(response.headers.get("retry-after"))
            wait = self.settings.backoff * 2**attempt * random.uniform(0.5, 1)  # jitter, or all come back at once
            if attempt + 1 < attempts and stop.wait(min(max(wait, asked_to_wait), LONGEST_WAIT)):
                break
        raise _NoAnswer(f"no answer after {attempt + 1} attempts, the last with {fault}")

    def _model(self) -> tuple[str, str]:
        """The model's name, and who serves it."""
        name = self.settings.model
        host = self.url.netloc.decode()
        try:
            response = self.client.get(f"{self.url}/models")
        except (httpx2.RequestError, httpx2.InvalidURL) as error:
            raise CriticError(f"{host} does not answer: {type(error).__name__}: {reason(error)}") from None
        if response.status_code in (401, 403):
            raise CriticError(f"{host} refuses the key; it is read from the variable {self.settings.key_variable}")
        served = _served(response)
        if name and (name in served or not served):
            return name, served.get(name, "OpenAI protocol")
        if name:
            raise CriticError(f"{host} has no model {name}; it has {', '.join(served)}")
        if not served:
            status = f"{response.status_code} from {self.url.path}/models"
            raise CriticError(f"{host} names no model ({status}); an address ends in /v1 as a rule, or give the model")
        return next(iter(served.items()))

    def _version(self) -> str:
        """The server's version, as vLLM and some others have it beside ``/v1``; asked again where that may pass."""
        address = f"{str(self.url).removesuffix('/v1')}/version"
        for attempt in range(VERSION_ATTEMPTS):
            if attempt:
                time.sleep(self.settings.backoff * 2 ** (attempt - 1) / 2)
            try:
                response = self.client.get(address, timeout=min(self.settings.timeout, VERSION_SECONDS))
            except httpx2.RequestError:
                continue
            if not _may_pass(response):
                answer = json_of(response.content)
                return str(answer["version"]) if isinstance(answer, dict) and "version" in answer else NOT_SAID
        return NOT_SAID


def open_served(url: str, settings: Mapping[str, Any]) -> ServedCritic:
    """The critic behind an address, with all settings by name.

    Raises:
        CriticError: it cannot be reached.
    """
    return ServedCritic(url, ServedSettings(**settings))


class _NoAnswer(Exception):  # noqa: N818 - it is caught where a reply is made
    """The reason why a question has no answer."""


def _authorisation(variable: str) -> dict[str, str]:
    key = os.environ.get(variable, "")
    if not (key.isascii() and key.isprintable()) or " " in key.strip():
        raise CriticError(f"the variable {variable} holds no key; accepted are printable ASCII characters, no spaces")
    return {"Authorization": f"Bearer {key.strip()}"} if key.strip() else {}


def _messages(question: Question, reference: Prepared, test: Prepared) -> list[dict[str, Any]]:
    def words(text: str) -> dict[str, Any]:
        return {"type": "text", "text": text}

    def picture(image: Prepared) -> dict[str, Any]:
        return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{b64encode(image.png).decode()}"}}

    text = question.rendered
    content = [words(text.before), picture(reference), words(text.between), picture(test), words(text.after)]
    return [{"role": "system", "content": question.system}, {"role": "user", "content": content}]


def _served(response: httpx2.Response) -> dict[str, str]:
    """The models of a ``/models`` answer, each with its owner; empty where it is something else."""
    answer = json_of(response.content)
    models = answer.get("data") if isinstance(answer, dict) else None
    sound = [model for model in models if isinstance(model, dict) and "id" in model] if isinstance(models, list) else []
    return {str(model["id"]): str(model.get("owned_by") or "OpenAI protocol") for model in sound}


def _may_pass(response: httpx2.Response) -> bool:
    """Whether an answer is a failure that may be over at the next attempt."""
    return response.status_code in PASSING or response.status_code >= 500


def _seconds(header: str | None) -> float:
    try:
        return max(0.0, float(header or 0))
    except ValueError:  # a date
        return 0.0
