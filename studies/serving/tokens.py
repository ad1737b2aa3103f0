"""Raters' tokens: a file of ``TOKEN CODE`` lines that only its owner can read, and where they were last served.

A token lets whoever has it vote under one code, and nothing else. Every change is made under a lock to what the file
holds by then, so that none is lost.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lorarar.util.files import replacing
from lorarar.util.locks import locked
from studies.errors import StudyError
from studies.rater.names import rater_code

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,64}")
_ORIGIN = re.compile(r"# served at (https?://[!-~]+)")
_STUDY = re.compile(r"# of the study ([0-9a-f]{64})")


@dataclass
class Tokens:
    """Raters' codes by token, the study that they are of, and the origin of the page where it was served last."""

    codes: dict[str, str] = field(default_factory=dict)
    study: str = ""  # its digest; empty where nothing was served yet
    origin: str = ""

    def withdraw(self, code: str) -> int:
        """Take away all tokens of a rater; the number there were."""
        gone = [token for token, other in self.codes.items() if other == code]
        for token in gone:
            del self.codes[token]
        return len(gone)

    def links(self, origin: str) -> list[dict[str, str]]:
        """The raters with the links that let them in."""
        return [{"rater": code, "url": f"{origin}/?token={token}"} for token, code in self.codes.items()]

    def text(self) -> str:
        """The tokens as lines of a file."""
        notes = [("# of the study", self.study), ("# served at", self.origin)]
        return "".join(f"{one} {other}\n" for one, other in [*notes, *self.codes.items()] if other)


class TokenFile:
    """The file of one study's tokens.

    Args:
        path: the file.
        study: the study's digest; links to another study of the same name, which was deleted, let nobody into this.
    """

    def __init__(self, path: Path, study: str) -> None:
        self.path, self.study = path, study

    def read(self) -> Tokens:
        """Read the tokens; there are none where there is no such file.

        Raises:
            StudyError: the file cannot be read, is open to others, is another study's, or has a line without a token
                and a code.
        """
        try:
            if self.path.stat().st_mode & 0o077:
                raise StudyError(f"{self.path} can be read by others; make it yours alone: chmod 600 {self.path}")
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Tokens(study=self.study)
        except (OSError, ValueError) as error:
            raise StudyError(f"cannot read {self.path}: {error}") from None
        tokens = _parse(text, self.path)
        if tokens.study not in ("", self.study):
            raise StudyError(
                f"{self.path} has the links of another study; name another file with --tokens, or delete it"
            )
        tokens.study = self.study
        return tokens

    @contextmanager
    def changing(self) -> Iterator[Tokens]:
        """The tokens, to be changed; what they are at the end is written, unless it is what they were.

        Raises:
            StudyError: the file cannot be read or written.
        """
        with self._locked("lock", wait=True):
            tokens = self.read()
            before = tokens.text()
            yield tokens
            if tokens.text() != before:  # what was read may lack the study; that alone is no change
                self._write(tokens.text())

    @contextmanager
    def served(self) -> Iterator[None]:
        """Be the only server of these tokens.

        Raises:
            StudyError: another one runs.
        """
        with self._locked("served", wait=False) as held:
            if not held:
                raise StudyError(f"another server has the tokens in {self.path}; end it first, or name other --tokens")
            yield

    @contextmanager
    def _locked(self, what: str, wait: bool) -> Iterator[bool]:
        with ExitStack() as stack:
            try:
                held = stack.enter_context(locked(self.path.with_name(f".{self.path.name}.{what}"), wait=wait))
            except OSError as error:
                raise StudyError(f"cannot write beside {self.path}: {error.strerror or error}") from None
            yield held

    def _write(self, text: str) -> None:
        try:
            with replacing(self.path, 0o600) as partial:
                partial.write_text(text, encoding="utf-8")
        except OSError as error:
            raise StudyError(f"cannot write {self.path}: {error.strerror or error}") from None


def new_token() -> str:
    """Return a token of 192 random bits."""
    return secrets.token_urlsafe(24)


def _parse(text: str, path: Path) -> Tokens:
    tokens = Tokens()
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if note := _ORIGIN.fullmatch(line):
            tokens.origin = note[1]
        elif note := _STUDY.fullmatch(line):
            tokens.study = note[1]
        elif len(words) == 2 and _TOKEN.fullmatch(words[0]):
            tokens.codes[words[0]] = rater_code(words[1])
        elif words and not line.startswith("#"):
            raise StudyError(f"{path}, line {number}: accepted is a token of 32 or more letters, and a rater's code")
    return tokens
