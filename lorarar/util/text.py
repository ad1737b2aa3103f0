"""Making text from outside safe to print."""

from __future__ import annotations


def clean(text: str) -> str:
    """Replace control codes and direction overrides in a text from outside; line ends and tabs stay."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
