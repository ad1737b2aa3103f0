"""The references of a database's pictures, and the words of their styles: found once, for the judge, studies and app.

What a merge made has the pictures that its LoRAs were trained on; an imported folder's pictures have those of the
reference folder that was named with it, in ``subjects/SUBJECT`` and ``styles/STYLE``.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lorarar.pictures.images import find_images
from lorarar.pictures.prompts import style_words
from lorarar.pictures.references import references_folder
from lorarar.store.paths import PathResolver
from lorarar.store.queries import PictureRow, reference_folders
from lorarar.util.errors import AdapterError, ImageError

UNKNOWN = "the folders of LoRAs that are not known"


@dataclass(frozen=True)
class PictureReferences:
    """The references of a picture's subject and of its style."""

    subject: tuple[Path, ...]
    style: tuple[Path, ...]
    words: str  # of the style, as questions name it
    lost: tuple[str, ...] = ()  # folders of references that are not there or hold no pictures


class ReferenceFinder:
    """Finds the references of pictures of one database; what several pictures share is looked for once."""

    def __init__(self, database: Path, connection: sqlite3.Connection) -> None:
        self.paths = PathResolver(database)
        self._folders = reference_folders(connection)
        self._find = lru_cache(maxsize=None)(self.paths.find)
        self._prompt = lru_cache(maxsize=None)(self._read_prompt)
        self._pictures = lru_cache(maxsize=None)(pictures_in)
        self._of_folder, self._of_loras = (lru_cache(maxsize=None)(one) for one in (self._in_folder, self._beside))

    def of(self, row: PictureRow) -> PictureReferences:
        """The references of a picture; what is not there is named."""
        if row.collection.kind == "import":
            return self._of_folder(self._folders.get(row.collection, ""), row.content, row.style)
        if row.content_lora is None or row.style_lora is None:
            return PictureReferences((), (), prompt_words(row.prompt), lost=(UNKNOWN,))
        return self._of_loras(row.content_lora, row.style_lora, row.prompt)

    def _in_folder(self, folder: str, content: str, style: str) -> PictureReferences:
        """Those of an imported picture."""
        return self._found(reference_places(self.paths.find(folder), content, style), folder_words(style))

    def _beside(self, content_lora: str, style_lora: str, prompt: str) -> PictureReferences:
        """Those of what was merged from two LoRAs."""
        content, style = self._find(content_lora), self._find(style_lora)
        words = prompt_words(self._prompt(style) or prompt)
        return self._found((references_folder(content), references_folder(style)), words)

    def _found(self, places: tuple[Path, Path], words: str) -> PictureReferences:
        pictures = self._pictures(places[0]), self._pictures(places[1])
        lost = tuple(str(place) for place, images in zip(places, pictures, strict=True) if not images)
        return PictureReferences(*pictures, words, lost)

    def _read_prompt(self, lora: Path) -> str:
        """The prompt that a LoRA was trained with; empty where it is not there or does not say it."""
        from lorarar.lora.header import provenance_of, read_header

        try:
            prompt = provenance_of(read_header(lora, AdapterError)).get("prompt")
        except AdapterError:
            return ""
        return prompt if isinstance(prompt, str) else ""


def reference_places(folder: Path, subject: str, style: str) -> tuple[Path, Path]:
    """Where the references of a subject and of a style lie in a folder of references."""
    return folder / "subjects" / subject, folder / "styles" / style


def pictures_in(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder; none where it is missing or may not be read."""
    try:
        return tuple(find_images(folder))
    except (ImageError, OSError, ValueError):
        return ()


def prompt_words(prompt: str) -> str:
    """The words of the style that a prompt describes: ``watercolor`` of ``a house in watercolor style``."""
    return style_words(prompt).removesuffix(" style")


def folder_words(name: str) -> str:
    """A style's folder name as words, its number dropped: ``watercolor-painting-3`` is ``watercolor painting``."""
    words = name.replace("_", " ").replace("-", " ").replace("#", " ").split()
    return " ".join(words[:-1] if len(words) > 1 and words[-1].isdigit() else words)
