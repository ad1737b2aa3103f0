"""Text from outside, made harmless."""

from __future__ import annotations


def clean(text: str) -> str:
    """Text from outside without control codes or direction overrides, safe to print."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)
