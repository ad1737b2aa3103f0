"""One server's requests and answers, each bounded in time and size, whatever the server does.

Invariant: a request ends within its seconds, also where a name is not resolved, a server is silent, its answer drips or
it takes in nothing; nothing is sent to another server than the one that was named.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

import httpcore2
import httpx2

from judge.critics.openai.address import Address
from judge.critics.openai.answer import Answer, NoAnswerError
from judge.critics.openai.environment import opener, route_to
from judge.critics.openai.wire import FAILURES, Wire
from judge.critics.openai.wires import Wires
from lorarar import __version__
from lorarar.util.errors import reason

MOVES = 3  # redirects of one request that are followed
MOVED = (301, 302, 303, 307, 308)
ACCEPTED = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": f"lorarar/{__version__}"}


def _go_on() -> None:
    """What a request is checked by that nothing keeps from being sent."""


class Connection:
    """A server's address, and the way to it; threads may share it."""

    def __init__(self, address: Address, headers: dict[str, str], timeout: float, most: int) -> None:
        """Open none yet.

        Args:
            address: the server's.
            headers: of every request.
            timeout: seconds for a whole answer.
            most: requests on their way, at most.

        Raises:
            CriticError: the environment's proxy or certificates cannot be used.
        """
        self.address, self.timeout = address, timeout
        self._route = route_to(address.url)
        open_connection = opener(address.url, self._route)
        self._headers = ACCEPTED | headers | _named_user(address.url)
        self._wires = Wires(most, lambda: Wire(open_connection))

    @property
    def name(self) -> str:
        """The server as messages name it, with the proxy on the way."""
        return self.address.host + self._route.words

    def get(self, place: str) -> Answer:
        """The answer of a place below the address; raises as ``post``."""
        return self._request("GET", place)

    def get_beside(self, place: str, seconds: float) -> Answer:
        """The answer of a place beside ``/v1``, within some seconds; raises as ``post``."""
        return self._bounded("GET", self.address.beside(place), min(seconds, self.timeout))

    def post(self, place: str, body: bytes, check: Callable[[], None]) -> Answer:
        """The answer to a body of JSON that is sent to a place below the address.

        Args:
            place: where it is sent.
            body: what is sent.
            check: is called when its turn has come; what it raises is raised, and nothing sent.

        Raises:
            NoAnswerError: there is none, or it took too long, was too long or came from elsewhere.
        """
        return self._request("POST", place, body, check)

    def close(self) -> None:
        """Close all connections."""
        self._wires.close()

    def _request(
        self, method: str, place: str, body: bytes | None = None, check: Callable[[], None] = _go_on
    ) -> Answer:
        """The answer, from where the server has moved to, if it says so; that is remembered."""
        for _ in range(MOVES + 1):
            answer = self._bounded(method, self.address.of(place), self.timeout, body, check)
            if answer.status not in MOVED:
                return answer
            location = answer.headers.get("location", "")
            there = self.address.moved(place, location)
            if there is None or there == self.address:
                break
            self.address = there
        raise NoAnswerError(f"{self.address}{place} is moved to {location[:200]}; give the address there")

    def _bounded(
        self,
        method: str,
        url: httpx2.URL,
        seconds: float,
        body: bytes | None = None,
        check: Callable[[], None] = _go_on,
    ) -> Answer:
        """The answer from an address, within some seconds."""
        request = self._prepare(method, url, seconds, body)

        def ask(wire: Wire) -> Answer:
            check()
            return wire.exchange(request)

        try:
            return self._wires.run(ask, seconds)
        except (httpcore2.TimeoutException, TimeoutError):
            raise NoAnswerError(f"no answer within {seconds:g} s") from None
        except (*FAILURES, OSError, UnicodeError) as error:
            raise NoAnswerError(f"{type(error).__name__}: {reason(error)}") from None

    def _prepare(self, method: str, url: httpx2.URL, seconds: float, body: bytes | None) -> httpcore2.Request:
        """A request, ready to be sent: nothing is worked out while it has a wire."""
        headers: list[tuple[bytes | str, bytes | str]] = [("Host", url.netloc), *self._headers.items()]
        if body is not None:
            headers += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        limits = {"timeout": {"connect": seconds}}
        return httpcore2.Request(method, target, headers=headers, content=body, extensions=limits)


def _named_user(url: httpx2.URL) -> dict[str, str]:
    """The header with the name and the password that an address begins with; empty where it has none."""
    if not url.username and not url.password:
        return {}
    return {"Authorization": f"Basic {b64encode(f'{url.username}:{url.password}'.encode()).decode()}"}
