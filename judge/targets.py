"""Targets: pictures to be judged, with the references of their subject and of their style.

From the database they are what a grid or a merge made, and the references lie beside the LoRAs; from plain
folders they are ``GENERATED/SUBJECT/STYLE/*`` and ``REFERENCES/subjects/SUBJECT/*``, ``REFERENCES/styles/STYLE/*``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from judge.questions import Aspect
from lorarar.pictures.images import find_images
from lorarar.pictures.prompts import style_words
from lorarar.pictures.references import read_references
from lorarar.store import Store
from lorarar.store.paths import PathResolver
from lorarar.store.queries import PictureRow, cell_pictures
from lorarar.util.errors import LorarError

FILTERS = ("plan", "row", "content", "style", "seed")


class TargetError(LorarError):
    """Pictures or references that cannot be found."""

    title = "Judge"


@dataclass(frozen=True)
class Target:
    """A picture to be judged, with its references."""

    image: Path
    row: str  # of a plan, or a method; empty for plain folders
    subject: str
    style: str
    subject_references: tuple[Path, ...]
    style_references: tuple[Path, ...]
    style_words: str  # the style's description, as the prompt names it
    prompt: str  # what it was generated from; empty where unknown

    def references(self, aspect: Aspect) -> tuple[Path, ...]:
        """The references of the subject, or of the style."""
        return self.subject_references if aspect == "subject" else self.style_references


def find_targets(store: Store, images: str, generated: Path | None, references: Path | None) -> list[Target]:
    """The pictures of plain folders where they are named, else those of grids.

    Raises:
        TargetError: nothing is there, or one folder is named without the other.
    """
    if (generated is None) != (references is None):
        raise TargetError("--generated and --references go together")
    if generated is None or references is None:
        return from_store(store, images)
    if images:
        raise TargetError("--images filters the database's pictures, not those of --generated")
    return from_folders(generated, references)


def from_folders(generated: Path, references: Path) -> list[Target]:
    """The targets of plain folders, subject by subject.

    Raises:
        TargetError: a folder or a reference is missing; the message says which is looked for.
    """
    subjects = _folders(generated)
    targets = []
    for subject in subjects:
        of_subject = _references(references / "subjects" / subject.name)
        for style in _folders(subject):
            of_style = _references(references / "styles" / style.name)
            words = words_of(style.name)
            targets += [
                Target(
                    image=image,
                    row="",
                    subject=subject.name,
                    style=style.name,
                    subject_references=of_subject,
                    style_references=of_style,
                    style_words=words,
                    prompt="",
                )
                for image in find_images(style)
            ]
    return targets


def from_store(store: Store, where: str = "") -> list[Target]:
    """The targets of the database's cells, in order; ``where`` keeps those of the plan, row, content … it names.

    Raises:
        TargetError: there are none, or a LoRA's references are gone.
    """
    with store.reading() as database:
        rows = [row for row in cell_pictures(database) if _matches(row, where)]
    if not rows:
        raise TargetError(f"{store.path} has no pictures of a grid" + (f" with {where}" if where else ""))
    paths = PathResolver(store.path)
    loras = {lora for row in rows for lora in (row.content_lora, row.style_lora) if lora is not None}
    references = {lora: read_references(paths.find(lora)) for lora in loras}
    return [
        Target(
            image=paths.find(row.path),
            row=row.row,
            subject=row.content,
            style=row.style,
            subject_references=references[row.content_lora or ""].images,
            style_references=references[row.style_lora or ""].images,
            style_words=style_words(references[row.style_lora or ""].prompt).removesuffix(" style"),
            prompt=row.prompt,
        )
        for row in rows
    ]


def words_of(name: str) -> str:
    """A style's folder name as words, its number dropped: ``watercolor-painting-3`` is ``watercolor painting``."""
    words = name.replace("_", " ").replace("-", " ").replace("#", " ").split()
    return " ".join(words[:-1] if len(words) > 1 and words[-1].isdigit() else words)


def _matches(row: PictureRow, where: str) -> bool:
    """Whether a row fits ``where``, which is like ``row=lorarar,style=glowing``; every part has to hold."""
    parts = [part.partition("=") for part in where.split(",") if part.strip()]
    for name, equals, value in parts:
        if not equals or name.strip() not in FILTERS:
            raise TargetError(
                f"--images is {where!r}; accepted are parts like row=lorarar,style=glowing, of {', '.join(FILTERS)}"
            )
        if _value(row, name.strip()) != value.strip():
            return False
    return True


def _value(row: PictureRow, name: str) -> str:
    """What a row is by one name of ``FILTERS``."""
    return row.collection.name if name == "plan" else str(getattr(row, name))


def _folders(folder: Path) -> list[Path]:
    folders = sorted(path for path in folder.glob("*") if path.is_dir())
    if not folders:
        raise TargetError(f"{folder} has no folders; accepted is GENERATED/SUBJECT/STYLE/ with pictures")
    return folders


def _references(folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        raise TargetError(
            f"{folder} is missing; references lie in REFERENCES/subjects/SUBJECT and REFERENCES/styles/STYLE"
        )
    return tuple(find_images(folder))
