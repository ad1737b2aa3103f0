"""Grouping items: by a key, or so many at a time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


def group_by(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """Group items by their key; groups and the items in each keep the order of the input."""
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def parts_of(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in their order, at most ``size`` at a time."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
