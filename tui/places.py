"""Where files of the database lie: paths in it may be relative to where a command was run."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from lorarar.errors import ImageError
from lorarar.images import find_images

ABOVE = 4  # folders above the database in which relative paths are tried


class Places:
    """Finds what a path of the database means here."""

    def __init__(self, database: Path) -> None:
        folder = database.absolute().parent
        self.roots = [Path.cwd(), folder, *list(folder.parents)[:ABOVE]]

    def find(self, path: str) -> Path:
        """The file; where there is none, the path from here, for an error to name."""
        if "\0" in path:
            return Path(hashlib.sha256(path.encode("utf-8", "replace")).hexdigest())
        if Path(path).is_absolute():
            return Path(path)
        for root in self.roots:
            if (root / path).exists():
                if root != self.roots[0]:  # the next one is likely there too
                    self.roots.remove(root)
                    self.roots.insert(0, root)
                return root / path
        return self.roots[0] / path

    def references(self, lora: str) -> tuple[Path, ...]:
        """The pictures an adapter was trained on, in the folder of its name beside it; none if they are gone."""
        try:
            return tuple(find_images(self.find(lora).with_suffix("")))
        except (ImageError, OSError, ValueError):
            return ()


def cache_home() -> Path:
    """``$LORARAR_CACHE``, else the user's cache folder for lorarar."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("LORARAR_CACHE") or Path(home) / "lorarar")


def file_key(digest: str) -> str:
    """A digest of the database as a file name: what is none is digested."""
    if re.fullmatch(r"[0-9a-f]{16,64}", digest):
        return digest
    return hashlib.sha256(digest.encode("utf-8", "replace")).hexdigest()
