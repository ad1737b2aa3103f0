"""Calls of other packages' code: whatever it raises is one clear line that names what failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lorarar.util.errors import LorarError, reason

FAULTS = (Exception, SystemExit)  # what another package's code may raise; it may not end our process either


@contextmanager
def guarded(what: str, error: type[LorarError]) -> Iterator[None]:
    """Turn whatever is raised within into an ``error`` that says that ``what`` fails; our own errors pass."""
    try:
        yield
    except LorarError:
        raise
    except FAULTS as fault:
        raise error(f"{what} fails: {type(fault).__name__}: {reason(fault)}") from fault
