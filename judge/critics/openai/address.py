"""Where a server's interface is, such as ``http://localhost:8000/v1``; a query there belongs to every request."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import httpx2

from judge.critics.critic import CriticError
from lorarar.util.errors import reason


@dataclass(frozen=True)
class Address:
    """A server's address."""

    url: httpx2.URL  # its path does not end in a slash

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address of a text.

        Raises:
            CriticError: it is none.
        """
        try:
            url = httpx2.URL(text)
        except (httpx2.InvalidURL, ValueError) as error:
            raise CriticError(f"{text!r} is not an address: {reason(error)}") from None
        if url.scheme not in ("http", "https") or not url.host:
            raise CriticError(f"{text!r} is not an address; accepted are some like http://localhost:8000/v1")
        return cls(url.copy_with(path=url.path.rstrip("/") or "/", fragment=None))

    def __str__(self) -> str:
        """The address without a key that its query or its beginning may hold."""
        return f"{self.host}{self._path}"

    @property
    def host(self) -> str:
        """The machine and its port, as messages name it."""
        return self.url.netloc.decode()

    @property
    def _path(self) -> str:
        return self.url.path.rstrip("/")

    def of(self, place: str) -> httpx2.URL:
        """The address of a place below it, for example ``/models``."""
        return _with_path(self.url, self._path + place)

    def beside(self, place: str) -> httpx2.URL:
        """The address of a place beside ``/v1``, where servers have what is not of the protocol."""
        return _with_path(self.url, self._path.removesuffix("/v1") + place)

    def moved(self, place: str, location: str) -> Address | None:
        """The address that a redirect from a place names; None where it is another server's, or not the same place."""
        try:
            target = self.url.join(location)
        except (httpx2.InvalidURL, ValueError):
            return None
        same_server = (target.scheme, target.host, target.port) == (self.url.scheme, self.url.host, self.url.port)
        path = target.path.rstrip("/")
        if not same_server or not path.endswith(place):
            return None
        query = target.query or self.url.query or None
        return Address(target.copy_with(path=path.removesuffix(place) or "/", query=query))


@lru_cache(maxsize=64)
def _with_path(url: httpx2.URL, path: str) -> httpx2.URL:
    """An address with another path; a run asks for the same few all the time."""
    return url.copy_with(path=path)
