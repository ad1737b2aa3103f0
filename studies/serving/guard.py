"""Who may reach a served study: pure checks of addresses and headers.

A page of another origin must not drive a rater's session (websockets are not bound to one origin by browsers), nor
may a name that somebody points at this machine: so the Host has to be ours, and so has the Origin of a websocket.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from studies.errors import StudyError


def headers(origin: str) -> dict[str, str]:
    """Headers of every answer: nothing comes from elsewhere or frames the page, and its address is told to nobody."""
    socket = origin.replace("http", "ws", 1)
    return {
        "Content-Security-Policy": (
            "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
            f"img-src 'self' data: blob:; connect-src {origin} {socket}; "
            "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        ),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }


def check_host(host: str, public: bool) -> None:
    """Refuse an address that other machines reach, unless the study is meant to be public.

    Raises:
        StudyError: other machines reach the address, and nobody asked for that.
    """
    if not (public or is_loopback(host)):
        raise StudyError(
            f"{host[:80]} can be reached from other machines, without encryption; serve on 127.0.0.1 behind a proxy "
            "that has it (--url https://…), or insist with --public"
        )


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
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
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise StudyError(f"--url is {url[:80]!r}; accepted is an address like https://studies.example.org")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if port in (None, usual) else f":{port}")


def is_ours(origin: str, headers_host: str | None, headers_origin: str | None, websocket: bool) -> bool:
    """Whether a request is for us by its Host, and a websocket's also from our own page by its Origin."""
    if headers_host is None or headers_host.lower() != origin.partition("://")[2]:
        return False
    return not websocket or headers_origin == origin
