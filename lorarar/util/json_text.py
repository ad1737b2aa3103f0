"""JSON for machines that may well be read in a terminal."""

from __future__ import annotations

import json
from typing import Any


def as_json(value: Any, *, ascii_alone: bool = False) -> str:
    """One JSON document, indented, with a line end.

    Control codes, direction overrides and bytes of a file's name that are no text are written as JSON's escapes: a
    terminal shows them, and whoever reads the document has them as they were. With ``ascii_alone`` so is every other
    character that is not ASCII.
    """
    text = json.dumps(value, indent=2, ensure_ascii=ascii_alone)
    return "\n".join(map(_escaped, text.split("\n"))) + "\n"


def _escaped(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)
