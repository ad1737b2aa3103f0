"""Which judge knows which pictures, and the brand that its figures bear where it does not know them.

A family may say that its critic and its backbones know its own pictures alone (``Family.judges_own_alone``). Such a
judge gives confident figures of anything, grey noise included; so they are made only where it is named, and stand
nowhere without the brand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from lorarar.families import FAMILIES
from lorarar.util.formatting import count, listed
from lorarar.util.text import clean

MOST, LONGEST = 3, 40  # bases that are named, and characters of one


def knows(judge: str, base: str) -> bool:
    """Whether a critic or a backbone knows the pictures of a base.

    Args:
        judge: its name, as it is recorded; a family's own have the family's.
        base: what generated them; empty where that is not known.
    """
    family = FAMILIES.get(judge)
    return family is None or not family.judges_own_alone or base == judge


def brand(judge: str, bases: Iterable[str]) -> str:
    """The sentence that stands with a judge's figures of pictures of these bases, one a picture.

    Returns:
        Empty where the judge knows them all.
    """
    counts = Counter(bases)
    strange = {base: count for base, count in counts.items() if not knows(judge, base)}
    if not strange:
        return ""
    some = f"{sum(strange.values())} of {count(counts.total(), 'picture')} here"
    return f"Without worth: {judge} knows pictures of {judge} alone; {some}: {bases_in_words(strange)}."


def brands(judges: Iterable[str], bases: Iterable[str]) -> tuple[str, ...]:
    """The brands of several judges of the same pictures, each once."""
    bases = list(bases)
    return tuple(filter(None, (brand(judge, bases) for judge in dict.fromkeys(judges))))


def bases_in_words(bases: Iterable[str] | Mapping[str, int]) -> str:
    """Bases as people read them, each once; some of them where they are many."""
    return listed(map(_in_words, dict.fromkeys(bases)), MOST)


def _in_words(base: str) -> str:
    return f"of {' '.join(clean(base).split())[:LONGEST]}" if base else "of no base that is known"
