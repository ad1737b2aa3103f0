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
    """Read the raters' codes by token; empty where there is no such file.

    Raises:
        StudyError: the file cannot be read, is open to others, or has a line without a token and a code.
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
    """Write the raters' codes by token to a file that its owner alone can read.

    Raises:
        StudyError: it cannot be written.
    """
    try:
        with replacing(path, 0o600) as partial:
            partial.write_text("".join(f"{token} {code}\n" for token, code in tokens.items()))
    except OSError as error:
        raise StudyError(f"cannot write {path}: {error.strerror or error}") from None


def new_token() -> str:
    """Return a token of 192 random bits."""
    return secrets.token_urlsafe(24)


def code_of(token: str, tokens: Mapping[str, str]) -> str | None:
    """The rater's code of a token; all tokens are compared, so that the time it takes says nothing."""
    digest = sha256(token.encode("utf-8", "surrogateescape")).digest()
    code = None
    for valid, code_of_valid in tokens.items():
        if secrets.compare_digest(digest, sha256(valid.encode()).digest()):
            code = code_of_valid
    return code
