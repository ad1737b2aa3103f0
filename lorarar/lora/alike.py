"""Layers that can be computed together, because their factors have the same shapes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from lorarar.lora.adapter import Factors

ROOM = 2**21  # numbers in the factors of layers that are computed together: more would gain nothing, and fit no cache


def alike(layers: Mapping[str, Sequence[Factors]]) -> Iterator[list[str]]:
    """Groups of layers whose factors, of one LoRA or of several, have the same shapes and dtypes; none is too large."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for name, several in layers.items():
        key = tuple((half.shape, half.dtype) for of in several for half in (of.down, of.up))
        groups.setdefault(key, []).append(name)
    for names in groups.values():
        size = sum(half.numel() for of in layers[names[0]] for half in (of.down, of.up))
        rest = iter(names)
        while some := list(islice(rest, max(1, ROOM // size))):
            yield some
