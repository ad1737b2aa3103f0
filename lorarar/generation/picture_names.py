"""Names of pictures: readable words of the prompt, the seed, and a digest of all that made it, so that none is lost."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from lorarar.util.digest import digest_of_facts

LONGEST = 60  # bytes of words; with seed and digest far below what a file system takes


def picture_stem(prompt: str, seed: int, makings: Mapping[str, object]) -> str:
    """The stem of a picture's file, the same for the same makings alone: ``a-dog-in-glowing-style-3-5f2c90ab``.

    Args:
        prompt: in any alphabet; its letters and digits stay, all else becomes hyphens.
        seed: the picture's.
        makings: all facts that decide the picture.
    """
    return f"{safe_words(prompt) or 'picture'}-{seed}-{digest_of_facts(makings)[:8]}"


def safe_words(text: str) -> str:
    """A text as a safe part of a file's name: letters with their marks and digits, in lower case, between hyphens."""
    letters = (letter if unicodedata.category(letter)[0] in "LNM" else " " for letter in text)
    words = "-".join(unicodedata.normalize("NFC", "".join(letters)).lower().split())
    return words.encode()[:LONGEST].decode("utf-8", "ignore").rstrip("-")
