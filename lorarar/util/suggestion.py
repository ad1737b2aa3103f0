"""What may be meant by a name that is refused: one function for every name that users write.

Methods, bases, subjects, styles, rows, files, keys of plans, options: wherever one is not known, the message ends in
``did_you_mean``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from lorarar.util.text import alike, readable, spoken

LONGEST = 80  # characters of a name that are compared: what is longer is no slip of a finger
LEAST = 0.6  # of the letters of both that have to agree


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that is most like a name; None where none is much like it.

    Case, accents, ``#`` and the signs between words count for nothing: ``Oil Painting #2`` is near to
    ``oil-painting-2``.
    """
    names = list(dict.fromkeys(names))
    if same := alike(name, names):
        return same
    from difflib import get_close_matches  # few commands need it

    by_form = {spoken(one): one for one in reversed(names)}  # of several in one form the first
    near = get_close_matches(spoken(name[:LONGEST]), by_form, 1, LEAST)
    return by_form[near[0]] if near else None


def did_you_mean(name: str, names: Iterable[str], spelling: Callable[[str], str] = str) -> str:
    """The end of a message that refuses a name: ``; did you mean ties?``, or nothing where none is near.

    Args:
        name: what was given.
        names: those that are accepted.
        spelling: how the one that is near is written, for example with the dashes of a flag.
    """
    near = nearest(name, names)
    return "" if near is None else f"; did you mean {spelling(near)}?"


def did_you_mean_file(path: Path) -> str:
    """The same for a file or folder that is not there, of what lies where it was looked for.

    A file of another kind is not meant: ``lorarar.db`` is near to no folder ``lorarar``.
    """
    try:
        there = sorted(one.name for one in path.parent.iterdir() if not one.name.startswith(".") and one.exists())
    except (OSError, ValueError):  # ValueError: of a null character
        return ""
    kinds = {kind for kind in {Path(name).suffix for name in there} if nearest(path.suffix, [kind])}
    alike_in_kind = [name for name in there if not path.suffix or Path(name).suffix in kinds]
    return did_you_mean(path.name, alike_in_kind, lambda name: readable(path.with_name(name)))


def as_there(names: Iterable[str], there: Iterable[str]) -> list[str]:
    """Names as they stand in ``there``, by whichever of their spellings they were given; others as they were given."""
    there = list(there)
    return [alike(name, there) or name for name in names]
