"""Digests: the identity of a thing is the sha256 of all facts that decide it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping


def digest_of_facts(facts: Mapping[str, object]) -> str:
    """Hex digest of facts that JSON can hold; their order does not matter."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def digest_with(facts: Mapping[str, object], *names: str) -> Callable[..., str]:
    """What gives ``digest_of_facts`` of facts with more of these names, whose values alone change: a million times.

    It is called with these values in this order. The others, all of which JSON can hold, are put in words once; those
    of the same names among them count for nothing.
    """
    texts = {name: f"{json.dumps(name)}: {json.dumps(value, sort_keys=True)}" for name, value in facts.items()}
    texts |= {name: f"{json.dumps(name)}: \0" for name in names}  # which JSON does not hold
    first, *rest = f"{{{', '.join(texts[name] for name in sorted(texts))}}}".split("\0")
    begun, places = hashlib.sha256(first.encode()), [names.index(name) for name in sorted(names)]

    def digest(*values: object) -> str:
        whole = begun.copy()
        for place, text in zip(places, rest, strict=True):
            whole.update(f"{json.dumps(values[place], sort_keys=True)}{text}".encode())
        return whole.hexdigest()

    return digest


def differing(facts: Mapping[str, object], others: Mapping[str, object]) -> list[str]:
    """The names of the facts that differ, in alphabetical order; one that only one side has differs.

    Where both sides have facts under a name, theirs are named, like ``options.rate``.
    """
    names = []
    for name in sorted({*facts, *others}):
        ours, theirs = facts.get(name), others.get(name)
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            names += [f"{name}.{inner}" for inner in differing(ours, theirs)]
        elif ours != theirs:
            names.append(name)
    return names
