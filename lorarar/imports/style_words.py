"""The words of styles: what prompts and questions call a style whose folder has another name.

They stand in ``styles.toml`` in the folder of references, a line a style: ``"ink-2" = "loose black ink"``. A style that
is not named there has the words of its folder's name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from lorarar.imports.errors import ImportingError
from lorarar.pictures.short_text import short_text
from lorarar.store.picture_references import folder_words
from lorarar.util.text import alike, one_line

FILE = "styles.toml"
LONGEST_WORDS = 200  # characters


def read_style_words(folder: Path) -> dict[str, str]:
    """The words of styles by their names, as a folder of references says them; empty where it says none.

    Raises:
        ImportingError: the file cannot be read, or says something else than words.
    """
    file = folder / FILE
    text = short_text(file, ImportingError, 'lines like "ink-2" = "loose black ink"')
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ImportingError(f"{file} is no TOML: {error}") from None
    for name, value in values.items():
        if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_WORDS or one_line(value) != value:
            raise ImportingError(
                f"{file}: {one_line(name)[:40]} has no words; accepted is a line like "
                f'"{one_line(name)[:40]}" = "loose black ink"'
            )
    return {name: " ".join(value.split()) for name, value in values.items()}


def words_of(style: str, words: Mapping[str, str]) -> str:
    """A style's words: those that are said, else those of its name."""
    name = alike(style, words)
    return folder_words(style) if name is None else words[name]
