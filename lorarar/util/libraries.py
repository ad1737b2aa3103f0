"""Versions of the libraries whose numbers end up in results; nothing is imported for them."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("diffusers", "torch", "transformers")


@lru_cache(maxsize=1)
def full_versions() -> dict[str, str]:
    """The versions as they are installed, by library."""
    return {name: _version(name) for name in LIBRARIES}


def minor_versions() -> dict[str, str]:
    """The versions to the minor number, like 2.13: a library's patches change no result that is meant."""
    return {name: ".".join(text.split("+")[0].split(".")[:2]) for name, text in full_versions().items()}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
