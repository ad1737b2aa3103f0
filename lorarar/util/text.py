"""Making text from outside safe to print, and to compare."""

from __future__ import annotations

import unicodedata


def clean(text: str) -> str:
    """Replace control codes and direction overrides in a text from outside; line ends and tabs stay."""
    if text.isprintable():  # nearly every text, and pictures inside a page are long ones
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def one_line(text: str) -> str:
    """A text from outside, cleaned, with its line ends and tabs as spaces: so no row or heading is broken by it."""
    return clean(text).replace("\n", " ").replace("\t", " ")


def composed(text: str) -> str:
    """A text with each letter in one part: macOS writes those with accents in two, and both look the same."""
    return unicodedata.normalize("NFC", text)
