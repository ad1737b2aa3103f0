"""Who may reach a served study: pure checks of addresses and headers.

A page of another origin must not drive a rater's session, nor may a name that somebody points at this machine: so the
Host has to be ours, and so has the Origin of whatever changes something.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from studies.errors import StudyError

#: Of every answer: nothing comes from elsewhere or frames the page, and its address is told to nobody.
HEADERS: dict[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def check_host(host: str, public: bool, url: str | None) -> None:
    """Refuse an address that other machines reach, unless the study is meant to be public and has an address there.

    Raises:
        StudyError: other machines reach the address, and nobody asked for that; or it is no address to go to.
    """
    if not (public or is_loopback(host)):
        raise StudyError(
            f"{host[:80]} can be reached from other machines, without encryption; serve on 127.0.0.1 behind a proxy "
            "that has it (--url https://…), or insist with --public"
        )
    if url is None and is_wildcard(host):
        raise StudyError(
            f"{host[:80]!r} stands for every address of this machine, so it makes no link; say with --url where raters "
            "reach it, like http://192.168.1.2:8000"
        )


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_wildcard(host: str) -> bool:
    """Whether an address stands for all of this machine's, in any spelling that systems take."""
    if host in ("", "*"):
        return True
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        pass
    try:
        return socket.inet_aton(host) == bytes(4)  # takes 0 and 0x0
    except (OSError, ValueError):
        return False


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, as browsers send it for ``Origin``.

    Raises:
        StudyError: the text is not the address of a web page, or has a path.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    sound = parts.scheme in ("http", "https") and parts.hostname and parts.hostname.isascii() and "@" not in url
    if not sound or parts.path.strip("/") or parts.query or parts.fragment or not url.isprintable() or " " in url:
        raise StudyError(f"--url is {url[:80]!r}; accepted is an address like https://studies.example.org")
    name = parts.hostname or ""
    host = f"[{name}]" if ":" in name else name
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if port in (None, usual) else f":{port}")


def origin_at(host: str, port: int, url: str | None) -> str:
    """The origin of a page that is served at a host and port, or behind the address that raters know.

    Raises:
        StudyError: that address is none.
    """
    return origin_of(url or f"http://{f'[{host}]' if ':' in host else host}:{port}")


def is_for_us(origin: str, hosts: Sequence[str]) -> bool:
    """Whether a request is for us, by all its headers ``Host``."""
    return [host.lower() for host in hosts] == [origin.partition("://")[2]]


def is_from_us(origin: str, origins: Sequence[str]) -> bool:
    """Whether a request comes from our own page, by all its headers ``Origin``."""
    return list(origins) == [origin]
