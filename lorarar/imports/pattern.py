"""Patterns of paths, ``{method}/{subject}/{style}/{seed}.png``: what a picture's path says of it.

A field stands for one or more characters other than ``/``, a field that comes twice for the same ones, ``{seed}`` for
digits, ``*`` for anything within a name. All other characters, brackets and percent signs too, stand for themselves.

Invariant: a path that a pattern reads in two ways is read in none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from lorarar.imports.errors import ImportingError
from lorarar.util.suggestion import did_you_mean

FIELDS = ("method", "subject", "style", "seed")
_TOKENS = re.compile(r"\{([^{}]*)\}|(\*)")
_KINDS = {"seed": "[0-9]+"}


class AmbiguousPathError(ValueError):
    """A path that a pattern reads in several ways."""


@dataclass(frozen=True)
class PathPattern:
    """What the parts of a path below a folder are."""

    text: str

    @classmethod
    def parse(
        cls, text: str, needs: Collection[str], accepts: Collection[str], option: str = "--pattern"
    ) -> PathPattern:
        """The pattern of a text.

        Args:
            text: what the user wrote.
            needs: fields that it has to have.
            accepts: all fields that it may have.
            option: what named it, for messages.

        Raises:
            ImportingError: a field is missing or none of these, or it is no path below a folder.
        """
        accepted = ", ".join(f"{{{name}}}" for name in accepts)
        names = [match[1] for match in _TOKENS.finditer(text) if match[2] is None]
        if unknown := [name for name in names if name not in accepts]:
            near = did_you_mean(unknown[0], accepts, lambda name: f"{{{name}}}")
            raise ImportingError(f"{option} {text!r} has {{{unknown[0]}}}; accepted are {accepted} and *{near}")
        if missing := [name for name in needs if name not in names]:
            wanted = " and ".join(f"{{{name}}}" for name in missing)
            raise ImportingError(f"{option} {text!r} lacks {wanted}; accepted are {accepted} and *")
        if text.startswith("/") or text.endswith("/") or {"", ".", ".."} & {*text.split("/")}:
            raise ImportingError(f"{option} {text!r} is no path of files below the folder, with / between its parts")
        return cls(text)

    def read(self, path: str) -> Mapping[str, str] | None:
        """The fields of a path relative to the folder, with ``/``; None where it does not match.

        Raises:
            AmbiguousPathError: it matches in more than one way.
        """
        short, long = (expression.fullmatch(path) for expression in self._expressions)
        if short is None or long is None:
            return None
        if short.regs != long.regs:  # where each field begins and ends
            raise AmbiguousPathError(path)
        return short.groupdict()

    @cached_property
    def _expressions(self) -> tuple[re.Pattern[str], re.Pattern[str]]:
        """Expressions whose fields take as little as they can, and as much: one that has one reading has it by both."""
        return self._expression("?"), self._expression("")

    def _expression(self, greed: str) -> re.Pattern[str]:
        parts, end, names = list[str](), 0, set[str]()
        for match in _TOKENS.finditer(self.text):
            parts.append(re.escape(self.text[end : match.start()]))
            end, name = match.end(), match[1]
            if match[2]:
                parts.append(f"[^/]*{greed}")
            elif name in names:
                parts.append(f"(?P={name})")
            else:
                names.add(name)
                parts.append(f"(?P<{name}>{_KINDS.get(name, '[^/]+')}{greed})")
        return re.compile("".join([*parts, re.escape(self.text[end:])]), re.DOTALL)
