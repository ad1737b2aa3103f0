"""One server's requests and answers, each bounded in time and size, whatever the server does.

Invariant: a request ends within its seconds, also where a name is not resolved, a server is silent or its answer drips;
nothing is sent to another server than the one that was named.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import httpx2

from judge.critics.openai.address import Address
from judge.critics.openai.environment import open_client, route_to
from judge.critics.openai.response import json_of
from judge.critics.openai.slot import Slot
from lorarar.util.errors import reason

T = TypeVar("T")
LONGEST = 16 * 2**20  # bytes of an answer
MOVES = 3  # redirects of one request that are followed
MOVED = (301, 302, 303, 307, 308)


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


class Connection:
    """A server's address, and the way to it; threads may share it."""

    def __init__(self, address: Address, headers: dict[str, str], timeout: float) -> None:
        """``timeout`` is in seconds, of a whole answer.

        Raises:
            CriticError: the environment's proxy or certificates cannot be used.
        """
        self.address, self.timeout = address, timeout
        self._route = route_to(address.url)
        self._client = open_client(address.url, self._route, headers)

    @property
    def name(self) -> str:
        """The server as messages name it, with the proxy on the way."""
        return self.address.host + self._route.words

    def get(self, place: str) -> Answer:
        """The answer of a place below the address; raises as ``post``."""
        return self._request("GET", place, None, Slot())

    def get_beside(self, place: str, seconds: float) -> Answer:
        """The answer of a place beside ``/v1``, within some seconds; raises as ``post``."""
        return self._bounded("GET", self.address.beside(place), None, min(seconds, self.timeout), Slot())

    def post(self, place: str, body: bytes, slot: Slot) -> Answer:
        """The answer to a body of JSON that is sent to a place below the address.

        Args:
            place: where it is sent.
            body: what is sent.
            slot: taken when all is ready to be sent, and given back with the last byte of the answer.

        Raises:
            NoAnswerError: there is none, or it took too long, was too long or came from elsewhere.
        """
        return self._request("POST", place, body, slot)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _request(self, method: str, place: str, body: bytes | None, slot: Slot) -> Answer:
        """The answer, from where the server has moved to, if it says so; that is remembered."""
        for _ in range(MOVES + 1):
            answer = self._bounded(method, self.address.of(place), body, self.timeout, slot)
            if answer.status not in MOVED:
                return answer
            location = answer.headers.get("location", "")
            there = self.address.moved(place, location)
            if there is None or there == self.address:
                break
            self.address = there
        raise NoAnswerError(f"{self.address}{place} is moved to {location[:200]}; give the address there")

    def _bounded(self, method: str, url: httpx2.URL, body: bytes | None, seconds: float, slot: Slot) -> Answer:
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            request = self._client.build_request(method, url, content=body, headers=headers, timeout=seconds)
            with slot:
                return within(seconds, lambda: self._exchange(request, seconds, slot))
        except (httpx2.TimeoutException, TimeoutError):
            raise NoAnswerError(f"no answer within {seconds:g} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
            raise NoAnswerError(f"{type(error).__name__}: {reason(error)}") from None

    def _exchange(self, request: httpx2.Request, seconds: float, slot: Slot) -> Answer:
        started = time.monotonic()
        response = self._client.send(request, stream=True)
        try:
            answer = bytearray()
            for part in response.iter_bytes():
                answer += part
                if len(answer) > LONGEST:
                    raise NoAnswerError(f"an answer of more than {LONGEST // 2**20} MB")
                if time.monotonic() > started + seconds:
                    raise TimeoutError
            slot.give_back()
            return Answer(response.status_code, bytes(answer), response.headers, time.monotonic() - started)
        finally:
            response.close()


_idle: list[queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]]] = []  # of threads that wait for a call


def within(seconds: float, call: Callable[[], T]) -> T:
    """What a call returns within some seconds.

    It runs in a thread beside this one, since nothing else bounds the search for a name, a connection and an answer
    together; one that takes longer is left to itself. Threads are used again: to start one takes a question's time.

    Raises:
        TimeoutError: it takes longer; whatever else the call raises.
    """
    future: Future[T] = Future()
    try:
        calls = _idle.pop()
    except IndexError:
        calls = queue.SimpleQueue()
        threading.Thread(target=_run_calls, args=(calls,), daemon=True).start()
    calls.put((future, call))
    return future.result(seconds)


def _run_calls(calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]]) -> None:
    """Run calls one after the other, and be idle between them."""
    while True:
        future, call = calls.get()
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)
        del future, call  # nothing of a call is kept while the next is waited for
        _idle.append(calls)
