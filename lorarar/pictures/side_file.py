"""The text beside a LoRA, ``NAME.txt``: its prompt in one line, or the keys of a concept, as in a plan."""

from __future__ import annotations

import re
from pathlib import Path

from lorarar.pictures.short_text import short_text
from lorarar.util.errors import AdapterError

_A_KEY = re.compile(r"\s*(#|\[|[\w.-]+\s*=)")  # how a text with keys begins


def read_side_file(path: Path) -> dict[str, str]:
    """What a text says, by key; empty where it is not there. One line without a key is the prompt.

    Raises:
        AdapterError: it cannot be read, is neither of both, or a value is no text.
    """
    text = short_text(path, AdapterError, "a LoRA's prompt")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return {}
    if _A_KEY.match(lines[0]):
        return _keys(text, path)
    if len(lines) > 1:
        raise AdapterError(
            f'{path} has {len(lines)} lines; accepted are one line, the LoRA\'s prompt, or keys like prompt = "…"'
        )
    return {"prompt": lines[0]}


def _keys(text: str, path: Path) -> dict[str, str]:
    import tomllib  # only where keys are read

    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise AdapterError(f"{path} cannot be read as keys: {error}") from None
    for name, value in values.items():
        if not isinstance(value, str):
            raise AdapterError(f'{path}: {name} is no text; accepted is {name} = "…"')
    return values
