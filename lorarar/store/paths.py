"""Where files of a database lie, and how their paths are kept: so that they are found from any working folder.

A file below the database's folder is kept relative to it, so that both may be moved together; any other by its whole
path. Rows of lorarar 0.1 are relative to the folder in which a command was run, which nobody knows any more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from lorarar.pictures.folders import find_images
from lorarar.pictures.references import references_folder
from lorarar.util.errors import AdapterError, ImageError, OutputError
from lorarar.util.files import is_text, is_there
from lorarar.util.text import readable

ABOVE = 4  # folders above the database's in which a relative path is looked for
_LONGEST, _LONGEST_NAME = 2048, 255  # bytes of a path, which leaves room for a folder, and of each name in it


def is_lora(path: Path, sha256: str) -> bool:
    """Whether the LoRA of this digest lies there, a file or a PEFT folder."""
    from lorarar.lora.locations import digest_of  # the app, which only finds paths, starts without

    try:
        return digest_of(path) == sha256
    except (AdapterError, OSError):
        return False


class PathResolver:
    """Finds the file that a path of the database means on this machine, and says how a file's path is kept.

    A relative path is looked for beside the database, in the working folder, and in the folders above the database,
    nearest first, since databases of 0.1 lie beside or below the folder in which a command was run.
    """

    def __init__(self, database: Path) -> None:
        self.folder = _absolute(database).parent
        self._beside = f"{str(self.folder).rstrip(os.sep)}{os.sep}"

    def stored(self, file: str | Path) -> str:
        """The path by which a file is kept.

        Raises:
            OutputError: it is no UTF-8, which a database cannot keep.
        """
        place = _absolute(Path(file))
        if not is_text(place):
            raise OutputError(f"{readable(place)} is no UTF-8, which no database can keep; rename it")
        if (whole := str(place)).startswith(self._beside):  # most do, and thousands are kept at once
            return whole[len(self._beside) :].replace(os.sep, "/")
        real, folder = Path(os.path.realpath(place.parent), place.name), Path(os.path.realpath(self.folder))
        return (real.relative_to(folder) if real.is_relative_to(folder) else place).as_posix()

    def places(self, path: str) -> list[Path]:
        """All places where the file of a path is looked for, in order; none where no file can have such a name."""
        return list(dict.fromkeys(self.each_place(path)))

    def find(self, path: str) -> Path:
        """Find the file; where there is none, return the place where it should be, for an error to name."""
        if path and not path.startswith(os.sep):  # most lie beside the database; a million are looked for at once
            place = Path(self._beside + path)
            if is_there(place):
                return place
        for place in self.each_place(path):
            if is_there(place):
                return place
        return next(self.each_place(path), Path(_in_words(path)))

    def each_place(self, path: str) -> Iterator[Path]:
        """The ``places`` one by one, some perhaps twice: of most files the first is the right one."""
        if path and _is_possible(path):
            yield self.folder / path
            for root in (Path.cwd(), *self.folder.parents[:ABOVE]):
                yield root / path

    def lost(self, path: str) -> str:
        """Say that a path cannot be found, and where it was looked for."""
        folders = ", ".join(dict.fromkeys(str(place.parent) for place in self.places(path)))
        name = _in_words(path) or "a file without a path"
        return f"{name} cannot be found" + (f"; looked in {folders}" if folders else "")

    def references(self, lora: str) -> tuple[Path, ...]:
        """The pictures a LoRA was trained on; none where they are gone."""
        try:
            return tuple(find_images(references_folder(self.find(lora))))
        except (ImageError, OSError, ValueError):
            return ()


def _is_possible(path: str) -> bool:
    """Whether a file can have this name; a database may say anything."""
    name = path.encode("utf-8", "surrogatepass")
    return b"\0" not in name and len(name) <= _LONGEST and all(len(part) <= _LONGEST_NAME for part in name.split(b"/"))


def _in_words(path: str) -> str:
    """A path as messages name it, cut where it is too long to be one; nothing that asks for this file fails."""
    path = path.replace("\0", "?")
    return path if _is_possible(path) else f"{path[:60]}…"


def _absolute(path: Path) -> Path:
    """The whole path, without ``..``; unlike a resolved one it keeps the names of links, beside which things lie."""
    return Path(os.path.normpath(path.absolute()))
