"""The last results of a function, as many as fit into so many bytes: all of a small critic's, few of a large one's."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class LastUsed(Generic[T]):
    """A function whose last results are kept; the newest always is, whatever its size."""

    def __init__(self, function: Callable[..., T], bytes_of: Callable[[T], int], most: int) -> None:
        """Keep nothing yet.

        Args:
            function: of arguments that are hashable.
            bytes_of: how large a result is.
            most: bytes of all results together.
        """
        self._function, self._bytes_of, self._most = function, bytes_of, most
        self._kept: OrderedDict[tuple[Hashable, ...], T] = OrderedDict()
        self._bytes = 0

    def __call__(self, *arguments: Hashable) -> T:
        """The function's result."""
        if arguments in self._kept:
            self._kept.move_to_end(arguments)
            return self._kept[arguments]
        result = self._function(*arguments)
        self._kept[arguments] = result
        self._bytes += self._bytes_of(result)
        while self._bytes > self._most and len(self._kept) > 1:
            self._bytes -= self._bytes_of(self._kept.popitem(last=False)[1])
        return result

    def forget(self) -> None:
        """Let go of all."""
        self._kept.clear()
        self._bytes = 0
