"""What passes a filter: words that a user types, all of which have to be there."""

from __future__ import annotations

from collections.abc import Sequence


def matches(text: str, words: str) -> bool:
    """Whether a text has every one of some words, in capitals or not."""
    lower = text.lower()
    return all(word in lower for word in words.lower().split())


def filter_concepts(words: str, contents: Sequence[str], styles: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Filter contents and styles: a word that names styles alone leaves the contents as they are.

    A word that names neither leaves nothing.
    """
    for word in words.split():
        matching_contents = [name for name in contents if matches(name, word)]
        matching_styles = [name for name in styles if matches(name, word)]
        if not matching_contents and not matching_styles:
            return [], []
        contents, styles = matching_contents or contents, matching_styles or styles
    return contents, styles
