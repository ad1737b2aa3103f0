"""What the environment says of the way to a server: proxies, hosts that need none, certificates.

Invariant: what the environment says wrongly is one line that names the variable, and nothing at all where the server is
reached without it: this machine, hosts of ``no_proxy``, and certificates of an address that is not encrypted.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.request import getproxies, proxy_bypass

import httpcore2
import httpx2

from judge.critics.critic import CriticError
from judge.critics.openai.wire import Opener
from lorarar.util.errors import reason

PORTS = {"http": 80, "https": 443}
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
IDLE_SECONDS = 4.0  # after which an idle connection is closed: before servers close it, uvicorn and so vLLM after 5


@dataclass(frozen=True)
class Route:
    """The way to a server: straight, or through a proxy."""

    proxy: str | None = None
    variable: str = ""  # that names the proxy

    @property
    def words(self) -> str:
        """The way as it follows a server's name in a message."""
        return f" through the proxy of {self.variable}" if self.proxy else ""


def route_to(url: httpx2.URL) -> Route:
    """The way that the environment wants for an address."""
    proxies = getproxies()
    for scheme in (url.scheme, "all"):
        if (proxy := proxies.get(scheme)) and not _needs_none(url.host, proxies.get("no", "")):
            return Route(proxy if "://" in proxy else f"http://{proxy}", _variable(f"{scheme}_proxy", proxy))
    return Route()


def opener(url: httpx2.URL, route: Route) -> Opener:
    """What opens connections to a server.

    Raises:
        CriticError: a proxy or certificates that the environment names cannot be used.
    """
    context = _certificates() if url.scheme == "https" or route.proxy else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        proxy = _proxy(route.proxy) if route.proxy else None
    except (ImportError, ValueError, httpx2.InvalidURL) as error:
        why = reason(error).replace(str(route.proxy), "it")  # which may hold a password
        raise CriticError(
            f"the proxy of {route.variable} cannot be used: {why}; accepted is an address like http://proxy:3128, and "
            f"no_proxy={url.host} goes without"
        ) from None
    origin = httpcore2.Origin(url.raw_scheme, url.raw_host, url.port or PORTS[url.scheme])

    def open_connection(backend: httpcore2.NetworkBackend) -> httpcore2.ConnectionInterface:
        pool = httpcore2.ConnectionPool(context, proxy, keepalive_expiry=IDLE_SECONDS, network_backend=backend)
        return pool.create_connection(origin)

    return open_connection


def _proxy(address: str) -> httpcore2.Proxy:
    """The proxy at an address.

    Raises:
        ImportError: what it takes to speak to it is not installed.
        ValueError, httpx2.InvalidURL: there is no such proxy.
    """
    proxy = httpx2.Proxy(address)
    if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ImportError("the package socksio is not installed")
    url = httpcore2.URL(scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target="/")
    return httpcore2.Proxy(url, auth=proxy.raw_auth)


def _certificates() -> ssl.SSLContext:
    """The certificates that encrypted servers are known by."""
    try:
        return httpx2.create_ssl_context()
    except OSError as error:  # a file that is missing, or holds something else
        named = next((name for name in CERTIFICATES if os.environ.get(name)), "the system")
        raise CriticError(f"the certificates of {named} cannot be read: {reason(error)}") from None


def _needs_none(host: str, exceptions: str) -> bool:
    """Whether a host is reached without a proxy: it is this machine, or among the exceptions."""
    return _is_here(host) or bool(proxy_bypass(host)) or any(_in_network(host, one) for one in exceptions.split(","))


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _in_network(host: str, network: str) -> bool:
    """Whether a host's address is in a network such as ``192.168.0.0/16``."""
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network.strip(), strict=False)
    except ValueError:
        return False


def _variable(name: str, value: str) -> str:
    """The variable that names a proxy, as it is spelt."""
    return next((one for one in (name, name.upper()) if os.environ.get(one) == value), "the system's settings")
