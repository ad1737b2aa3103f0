"""Digests: the identity of a thing is the sha256 of all facts that decide it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping


def digest_of_facts(facts: Mapping[str, object]) -> str:
    """Hex digest of facts that JSON can hold; their order does not matter."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


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
