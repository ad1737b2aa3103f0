"""What is judged: pictures with the references of their subject and of their style.

From the database they are what a grid or a merge made, and the references lie beside the LoRAs; from plain
folders they are ``GENERATED/SUBJECT/STYLE/*`` and ``REFERENCES/subjects/SUBJECT/*``, ``REFERENCES/styles/STYLE/*``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lorarar.errors import LorarError
from lorarar.images import find_images
from lorarar.references import References, read_references
from lorarar.store import Store

FILTERS = ("plan", "row", "content", "style", "seed")


class TargetError(LorarError):
    """Pictures or references that cannot be found."""

    title = "Judge"


@dataclass(frozen=True)
class Target:
    """A picture to judge."""

    image: Path
    row: str  # of a plan, or a method; empty for plain folders
    subject: str
    style: str
    subject_references: tuple[Path, ...]
    style_references: tuple[Path, ...]
    style_words: str  # the style's description, as the prompt names it
    prompt: str  # what it was drawn from; empty where unknown


def find_targets(store: Store, images: str, generated: Path | None, references: Path | None) -> list[Target]:
    """What is to be judged: plain folders where they are named, else what grids made.

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
    """Targets of plain folders, subject by subject.

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
                Target(image, "", subject.name, style.name, of_subject, of_style, words, "")
                for image in find_images(style)
            ]
    return targets


def from_store(store: Store, where: str = "") -> list[Target]:
    """Targets of the database's cells, in order; ``where`` keeps those of the plan, row, content … it names.

    Raises:
        TargetError: there are none, or a LoRA's references are gone.
    """
    rows = store.rows("""
        SELECT c.plan, c.row, c.content, c.style, c.seed, i.path, i.prompt, a.path AS content_lora, b.path AS style_lora
        FROM cells c JOIN images i ON i.id = c.image JOIN merges m ON m.id = i.merge
        JOIN adapters a ON a.id = m.content JOIN adapters b ON b.id = m.style
        ORDER BY c.row, c.content, c.style, c.seed""")
    wanted = [row for row in rows if _matches(row, where)]
    if not wanted:
        raise TargetError(f"{store.path} has no pictures of a grid" + (f" with {where}" if where else ""))
    references: dict[str, References] = {}
    for path in {row[side] for row in wanted for side in ("content_lora", "style_lora")}:
        references[path] = read_references(Path(path))
    return [
        Target(
            Path(row["path"]),
            row["row"],
            row["content"],
            row["style"],
            references[row["content_lora"]].images,
            references[row["style_lora"]].images,
            references[row["style_lora"]].prompt.rpartition(" in ")[2].removesuffix(" style"),
            row["prompt"],
        )
        for row in wanted
    ]


def words_of(name: str) -> str:
    """A style's folder name as words, its number dropped: ``watercolor-painting-3`` is ``watercolor painting``."""
    words = name.replace("_", " ").replace("-", " ").replace("#", " ").split()
    return " ".join(words[:-1] if len(words) > 1 and words[-1].isdigit() else words)


def _matches(row: dict[str, object], where: str) -> bool:
    """``where`` is like ``row=lorarar,style=glowing``; every part has to hold."""
    parts = [part.partition("=") for part in where.split(",") if part.strip()]
    for name, equals, value in parts:
        if not equals or name.strip() not in FILTERS:
            raise TargetError(
                f"--images is {where!r}; accepted are parts like row=lorarar,style=glowing, of {', '.join(FILTERS)}"
            )
        if str(row[name.strip()]) != value.strip():
            return False
    return True


def _folders(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.glob("*") if path.is_dir())
    if not found:
        raise TargetError(f"{folder} has no folders; accepted is GENERATED/SUBJECT/STYLE/ with pictures")
    return found


def _references(folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        raise TargetError(
            f"{folder} is missing; references lie in REFERENCES/subjects/SUBJECT and REFERENCES/styles/STYLE"
        )
    return tuple(find_images(folder))
