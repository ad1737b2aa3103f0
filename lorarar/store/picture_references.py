"""The references of a database's pictures, and the words of their styles: found once, for the judge, studies and app.

What a merge made has the pictures that its LoRAs were trained on; an imported folder's pictures have those of the
reference folder that was named with it, in ``subjects/SUBJECT`` and ``styles/STYLE``, or those that were listed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from lorarar.pictures.description import NOTHING, Description, describe, first_of, in_folder, in_header
from lorarar.pictures.folders import child, find_images, why_unread
from lorarar.pictures.prompts import RARE_TOKEN, style_phrase, without_token
from lorarar.pictures.references import references_folder
from lorarar.store.concept_words import ConceptKey, described_concepts, listed_references
from lorarar.store.paths import PathResolver
from lorarar.store.queries import Collection, PictureRow, reference_folders
from lorarar.util.errors import AdapterError, ImageError
from lorarar.util.files import is_there

UNKNOWN = "the folders of LoRAs that are not known"
UNNAMED = "a folder that was never named: import the pictures again with --references"


@dataclass(frozen=True)
class PictureReferences:
    """The references of a picture's subject and of its style."""

    subject: tuple[Path, ...]
    style: tuple[Path, ...]
    words: str  # of the style, as questions name it
    prompt: str = ""  # the picture's, without rare tokens
    lost: tuple[str, ...] = ()  # folders of references that are not there or hold no pictures


class ReferenceFinder:
    """Finds the references of pictures of one database; what several pictures share is looked for once."""

    def __init__(self, database: Path, connection: sqlite3.Connection) -> None:
        self.paths = PathResolver(database)
        self._folders, self._listed = reference_folders(connection), listed_references(connection)
        self._find = lru_cache(maxsize=None)(self.paths.find)
        self._described = described_concepts(connection)
        self._pictures = lru_cache(maxsize=None)(pictures_in)
        self._of_import = lru_cache(maxsize=None)(self._imported)
        self._of_merge = lru_cache(maxsize=None)(self._merged)
        self._of_lora = lru_cache(maxsize=None)(self._describe)

    def of(self, row: PictureRow) -> PictureReferences:
        """The references of a picture; what is not there is named."""
        if row.collection.kind == "import":
            return replace(self._of_import(row.collection, row.content, row.style), prompt=without_token(row.prompt))
        loras = row.content_lora, row.style_lora
        return self._of_merge(row.collection, row.content, row.style, *loras, row.prompt)

    def _merged(
        self, collection: Collection, content: str, style: str, one: str | None, other: str | None, prompt: str
    ) -> PictureReferences:
        """Those of a pair's pictures of one prompt, by the paths of the LoRAs that were merged."""
        if one is None or other is None:
            return PictureReferences((), (), prompt_words(prompt), without_token(prompt), lost=(UNKNOWN,))
        subject = self._of_lora(one, ConceptKey(collection, "content", content))
        look = self._of_lora(other, ConceptKey(collection, "style", style))
        words = look.style_words if look.prompt or look.style is not None else prompt_words(prompt)
        places = subject.images or Path(), look.images or Path()
        return self._found(places, words, plain_prompt(prompt, subject, look))

    def _imported(self, collection: Collection, content: str, style: str) -> PictureReferences:
        """Those of an imported pair: each concept's own list, else what lies in the folder of its name."""
        keys = ConceptKey(collection, "content", content), ConceptKey(collection, "style", style)
        folder = self._folders.get(collection)
        places = (None, None) if folder is None else reference_places(self.paths.find(folder), content, style)
        subject, look = (self._of_concept(key, place) for key, place in zip(keys, places, strict=True))
        words = self._described.get(keys[1], NOTHING).style
        return PictureReferences(
            subject[0], look[0], folder_words(style) if words is None else words, lost=(*subject[1], *look[1])
        )

    def _of_concept(self, key: ConceptKey, place: Path | None) -> tuple[tuple[Path, ...], tuple[str, ...]]:
        """The references of an imported concept, and where they should be if there are none."""
        if listed := self._listed.get(key):
            pictures = tuple(path for path in map(self._find, listed) if is_there(path))
            return pictures, () if pictures else (str(self._find(listed[0])),)
        if place is None:
            return (), (UNNAMED,)
        pictures = self._pictures(place)
        return pictures, places_without([place], [pictures])

    def _found(self, places: tuple[Path, Path], words: str, prompt: str) -> PictureReferences:
        pictures = self._pictures(places[0]), self._pictures(places[1])
        return PictureReferences(*pictures, words, prompt, places_without(places, pictures))

    def _describe(self, lora: str, concept: ConceptKey) -> Description:
        """What is said of a concept by its collection, beside its LoRA and in it; pictures always have a place."""
        file, given = self._find(lora), self._described.get(concept, NOTHING)
        if given.images is not None:
            given = replace(given, images=self._find(str(given.images)))
        header = _header(file)
        try:
            described = describe(file, header, given)
        except AdapterError:  # a text beside it is unsound: the LoRA is as it is without
            described = first_of([given, in_header(header), in_folder(file)])
        return described if described.images else replace(described, images=references_folder(file))


def references_of(lora: Path) -> tuple[Path, ...]:
    """The pictures that a LoRA was trained on, as what lies beside it and its header say; none where none are there."""
    header = _header(lora)
    try:
        described = describe(lora, header)
    except AdapterError:  # a text beside it is unsound: the LoRA is as it is without
        described = first_of([in_header(header), in_folder(lora)])
    return pictures_in(described.images or references_folder(lora))


def plain_prompt(prompt: str, content: Description, style: Description) -> str:
    """A picture's prompt without rare tokens: content's is left out, and for a style's that is said stand its words."""
    token = RARE_TOKEN if content.prompt is None and content.token is None else content.rare_token
    return without_token(without_token(prompt, style.token or "", style.style_words), token)


def _header(lora: Path) -> dict[str, str]:
    """The header of a LoRA; empty where it is not there or cannot be read."""
    from lorarar.lora.header import read_metadata

    try:
        return read_metadata(lora, AdapterError)
    except (AdapterError, OSError, ValueError):
        return {}


def reference_places(folder: Path, subject: str, style: str) -> tuple[Path, Path]:
    """Where the references of a subject and of a style lie in a folder of references."""
    return child(child(folder, "subjects"), subject), child(child(folder, "styles"), style)


def places_without(places: Sequence[Path], pictures: Sequence[Sequence[Path]]) -> tuple[str, ...]:
    """Of places of references those that have no pictures, with why where they may not be read."""
    return tuple(f"{place}{why_unread(place)}" for place, images in zip(places, pictures, strict=True) if not images)


def pictures_in(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder; none where it is missing or may not be read."""
    try:
        return tuple(find_images(folder))
    except (ImageError, OSError, ValueError):
        return ()


def prompt_words(prompt: str) -> str:
    """The words of the style that a prompt describes: ``watercolor`` of ``a house in watercolor style``."""
    return style_phrase(prompt).removesuffix(" style")


def folder_words(name: str) -> str:
    """A style's folder name as words, its number dropped: ``watercolor-painting-3`` is ``watercolor painting``."""
    words = name.replace("_", " ").replace("-", " ").replace("#", " ").split()
    return " ".join(words[:-1] if len(words) > 1 and words[-1].isdigit() else words)
