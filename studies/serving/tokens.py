"""Raters' tokens: a file of ``TOKEN CODE`` lines that only its owner can read.

A token lets whoever has it vote under one code, and nothing else. It is compared by digest, in constant time.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from lorarar.util.files import replacing
from studies.errors import StudyError
from studies.rater.names import rater_code

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,64}")


def read_tokens(path: Path) -> dict[str, str]:
    """Codes by token; empty where there is no such file.

    Raises:
        StudyError: it cannot be read, is open to others, or has a line that is none.
    """
    try:
        if not path.exists():
            return {}
        if path.stat().st_mode & 0o077:
            raise StudyError(f"{path} can be read by others; make it yours alone: chmod 600 {path}")
        lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"cannot read {path}: {error}") from None
    for number, line in enumerate(lines, start=1):
        if len(line) != 2 or not _TOKEN.fullmatch(line[0]):
            raise StudyError(f"{path}, line {number}: accepted is a token of 32 or more letters, and a rater's code")
    return {token: rater_code(code) for token, code in lines}


def write_tokens(path: Path, tokens: Mapping[str, str]) -> None:
    """Write the file, whole, readable by its owner alone.

    Raises:
        StudyError: it cannot be written.
    """
    try:
        with replacing(path) as partial:
            partial.touch(0o600)
            partial.write_text("".join(f"{token} {code}\n" for token, code in tokens.items()))
    except OSError as error:
        raise StudyError(f"cannot write {path}: {error.strerror or error}") from None


def new_token() -> str:
    """A token of 192 random bits."""
    return secrets.token_urlsafe(24)


def code_of(token: str, tokens: Mapping[str, str]) -> str | None:
    """The code of a token; all are compared, so that how long it takes says nothing."""
    given = sha256(token.encode("utf-8", "surrogateescape")).digest()
    found = None
    for known, code in tokens.items():
        if secrets.compare_digest(given, sha256(known.encode()).digest()):
            found = code
    return found
