"""Which identities are one critic: a server's other name and a version it did not say make no other judge.

A critic behind a server records the address it was first reached at and the version the server said. Neither a port
nor its address or short name changes what answers, and ``NOT_SAID`` is no version. Two names at one address may be two
servers, which a proxy there knows apart.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Mapping

Identity = Mapping[str, object]

NOT_SAID = "not said"  # the version of a server that names none
HOST, VERSION = "host", "backend version"
LOOPBACK = "localhost"


def known_identity(identity: Identity, others: Iterable[Identity]) -> Identity:
    """The identity under which a critic is known: its own, or an equal one but for the server's name or silence.

    Args:
        identity: the critic's, as it was opened.
        others: those of a database, the latest first.

    Returns:
        One of the others, or ``identity`` where the critic is new.
    """
    others = list(others)
    if HOST not in identity or identity in others:
        return identity
    same = [other for other in others if _same_but_version(identity, other) and _same_host(identity, other)]
    versions = {other.get(VERSION) for other in same} - {NOT_SAID}
    if identity.get(VERSION) == NOT_SAID or not versions:
        return next(iter(same), identity)
    return next((other for other in same if other.get(VERSION) == identity.get(VERSION)), identity)


def _same_but_version(identity: Identity, other: Identity) -> bool:
    """Whether two identities agree in all but the server's address and version."""
    return all(identity.get(name) == other.get(name) for name in (identity.keys() | other.keys()) - {HOST, VERSION})


def _same_host(identity: Identity, other: Identity) -> bool:
    """Whether two identities are of one place of one machine, whatever its name and port."""
    (name, path), (other_name, other_path) = (_host(str(one.get(HOST, ""))) for one in (identity, other))
    if path != other_path:
        return False
    if name == other_name:
        return True
    return _may_be_one(name, other_name) and bool(_addresses(name) & _addresses(other_name))


def _may_be_one(name: str, other: str) -> bool:
    """Whether one address makes two names one machine: an address and a name, or a name and its short form.

    Any other two names may be two servers behind one door, which knows them apart by these names.
    """
    short, long = sorted((name, other), key=len)
    return any(one == LOOPBACK or _is_address(one) for one in (name, other)) or long.startswith(f"{short}.")


def _host(address: str) -> tuple[str, str]:
    """The machine's name and the path of an address such as ``[::1]:8000/here``; no port."""
    netloc, slash, path = address.partition("/")
    name = netloc.rpartition("@")[2].lower()
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    elif name.count(":") == 1:
        name = name.partition(":")[0]
    name = name.rstrip(".")
    return (LOOPBACK if _is_loopback(name) else name), (slash + path).rstrip("/")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == LOOPBACK


def _addresses(name: str) -> set[str]:
    """The addresses of a machine; none where its name is not known here."""
    try:
        addresses = {str(info[4][0]) for info in socket.getaddrinfo(name, None)}
    except (OSError, UnicodeError):
        return set()
    return {LOOPBACK if _is_loopback(address) else address for address in addresses}
