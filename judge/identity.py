"""Which identities are one critic: where a server stands, and a version it did not say, make no other judge.

A critic behind servers is its model, who serves it and in which version. Where the server stands is no part of it, so
that replicas share their work and a server may move. Verdicts of before, whose identities name a ``host``, count on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

Identity = Mapping[str, object]

NOT_SAID = "not said"  # the version of a server that names none
SERVED = "as served"  # the revision of every critic behind servers
REVISION, HOST, VERSION = "revision", "host", "backend version"


def known_identities(identity: Identity, others: Iterable[Identity]) -> Sequence[Identity]:
    """The identities under which a critic's verdicts are kept: first the one for new ones, then others it had.

    Args:
        identity: the critic's, as it was opened.
        others: those of a database, the latest first.

    Returns:
        Of a critic behind servers, those that differ in nothing but a host or a version that was not said; without
        any, and of every other critic, its own.
    """
    if identity.get(REVISION) != SERVED:
        return [identity]
    same = [other for other in others if _essence(other) == _essence(identity)]
    version = identity.get(VERSION)
    versions = [other.get(VERSION) for other in same if other.get(VERSION) != NOT_SAID]
    if version == NOT_SAID and versions:
        same = [other for other in same if other.get(VERSION) in (versions[0], NOT_SAID)]
    elif versions:
        same = [other for other in same if other.get(VERSION) == version]
    return sorted(same, key=lambda other: other != identity) or [identity]


def _essence(identity: Identity) -> dict[str, object]:
    """An identity without a server's place and version."""
    return {name: value for name, value in identity.items() if name not in (HOST, VERSION)}
