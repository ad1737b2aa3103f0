"""Folders of pictures: what of them is taken, what is left out, and what other programs left behind."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lorarar.pictures.formats import ENDINGS, HEIC_EXTRA, is_readable
from lorarar.util.errors import ImageError
from lorarar.util.files import missing
from lorarar.util.formatting import count
from lorarar.util.text import alike

#: What systems and programs leave in folders, in lower case; names that begin with a dot are theirs as well.
_LEFT_BEHIND = frozenset(
    {
        "__macosx",
        "__pycache__",
        "thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        "icon\r",
        "@eadir",
        "#recycle",
        "$recycle.bin",
        "system volume information",
        "lost+found",
    }
)


def is_left_behind(name: str) -> bool:
    """Whether a file or folder of this name is hidden, or is what some program keeps for itself."""
    return name.startswith(".") or name.lower() in _LEFT_BEHIND


@dataclass(frozen=True)
class PictureFolder:
    """What lies in a folder of pictures, by name; what programs left behind is no part of it."""

    pictures: tuple[Path, ...]
    others: tuple[Path, ...]  # files that are neither pictures that are read here nor texts of their names
    folders: tuple[Path, ...]

    @property
    def left_out(self) -> str:
        """What is not taken, in words; empty where everything is."""
        return left_out(self.others)


def caption_file(picture: Path) -> Path:
    """The text that captions a picture: the one of its name, beside it."""
    return picture.with_suffix(".txt")


def look_into(folder: Path) -> PictureFolder:
    """What lies in a folder, in the order of names.

    Raises:
        ImageError: it is not there, or may not be read.
    """
    pictures, others, folders = list[Path](), list[Path](), list[Path]()
    for path in sorted(path for path in entries_of(folder) if not is_left_behind(path.name)):
        kind = pictures if is_readable(path.suffix) else folders if path.is_dir() else others
        kind.append(path)
    captions = set(map(caption_file, pictures))
    return PictureFolder(tuple(pictures), tuple(one for one in others if one not in captions), tuple(folders))


def find_images(folder: str | Path) -> list[Path]:
    """Find the pictures of a folder, sorted by name, without hidden files; a file stands for itself.

    Raises:
        ImageError: there are none, or the folder may not be read.
    """
    folder = Path(folder)
    if folder.is_file():
        return [folder]
    inside = look_into(folder)
    if not inside.pictures:
        beside = f"; {inside.left_out}" if inside.others else ""
        raise ImageError(
            f"{folder} holds no pictures{beside}; accepted are files ending in {', '.join(ENDINGS)}, not in sub-folders"
        )
    return list(inside.pictures)


def folders_in(folder: Path) -> list[Path]:
    """The folders in a folder, sorted by name, without those that programs left behind.

    Raises:
        ImageError: it is not there, or may not be read.
    """
    return sorted(path for path in entries_of(folder) if not is_left_behind(path.name) and path.is_dir())


def child(folder: Path, name: str) -> Path:
    """What has a name in a folder, else the one thing there whose name looks the same (``alike``)."""
    exact = folder / name
    if os.path.lexists(exact):
        return exact
    try:
        names = [path.name for path in entries_of(folder)]
    except ImageError:
        return exact
    return folder / (alike(name, names) or name)


def left_out(files: Iterable[Path]) -> str:
    """Files that are no pictures that can be read, counted by ending, as part of a sentence; empty without any."""
    kinds = Counter(path.suffix.lower() or "without an ending" for path in files)
    if not kinds:
        return ""
    kinds_in_words = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    heic = any(ENDINGS.get(kind) == "HEIF" for kind in kinds)
    hint = f"; HEIC is read with: {HEIC_EXTRA}" if heic else ""
    are = "is" if kinds.total() == 1 else "are"
    return f"{count(kinds.total(), 'file')} {are} left out: {kinds_in_words}{hint}"


def left_out_beside(groups: Iterable[tuple[Path, ...]]) -> str:
    """The same of the files that lie beside pictures, each group of which is all that was found in one folder."""
    others: list[Path] = []
    for pictures in dict.fromkeys(groups):
        try:
            inside = look_into(pictures[0].parent)
        except (ImageError, IndexError):
            continue
        if inside.pictures == pictures:  # else one picture was named, and its neighbours were not asked for
            others += inside.others
    return left_out(others)


def why_unread(folder: Path) -> str:
    """Why nothing can be had of a folder that is there, as a word behind its name; empty where it can be listed."""
    try:
        next(folder.iterdir(), None)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f" ({error.strerror})"
    return ""


def entries_of(folder: Path) -> list[Path]:
    """All that lies in a folder, in no order.

    Raises:
        ImageError: it is not there, or may not be read.
    """
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        raise ImageError(missing(folder)) from None
    except OSError as error:
        raise ImageError(f"{folder} cannot be read: {error.strerror}") from None
