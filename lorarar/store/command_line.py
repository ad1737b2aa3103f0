"""Commands as messages suggest them: with the ``--db`` that they need to mean the database that is meant here.

A command notes the ``--db`` that it was given (``named_database``), since whoever suggests another seldom knows of it.
Pages that are shared have commands without it: where a database lies is nobody else's business.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lorarar.store.connection import default_path

_named: list[Path] = []  # what ``--db`` said, of the innermost command last


@contextmanager
def named_database(path: Path) -> Iterator[None]:
    """Within, in every thread, suggested commands are about this database."""
    _named.append(path)
    try:
        yield
    finally:
        _named.pop()


def command_line(words: str) -> str:
    """A command to suggest, like ``lorarar judge run``, as it has to be typed."""
    if not _named or _named[-1] == default_path():
        return words
    return f"{words} --db {shlex.quote(str(_named[-1]))}"
