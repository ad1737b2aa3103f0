"""Making text from outside safe to print, and to compare."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path


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


def caseless(text: str) -> str:
    """A text as systems read names that tell neither small from capital letters nor one Unicode form from another."""
    return composed(composed(text).casefold())


def spoken(text: str) -> str:
    """A name as it is said aloud, which is how files have it: ``dog #8`` and ``Dog 8`` are ``dog-8``."""
    return "-".join(caseless(text).replace("#", " ").replace("-", " ").replace("_", " ").split())


def alike(name: str, names: Iterable[str]) -> str | None:
    """Of names the one that is the same to the letter, else the only one that looks the same; None without any.

    macOS writes letters with accents in two parts, and other systems tell small from capital ones; so of names that
    differ, those in another Unicode form are tried, then those in another case, then those that are said the same
    (``spoken``): a subject is called ``dog #8`` and its files ``dog-8``.
    """
    names = list(names)
    if name in names:
        return name
    for form in (composed, caseless, spoken):
        same = [one for one in names if form(one) == form(name)]
        if len(same) == 1:
            return same[0]
    return None


def readable(path: Path) -> str:
    """A name for people, with bytes that are no UTF-8 written out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
