"""Files of a database: its paths may be relative to the folder in which a command was run."""

from __future__ import annotations

from pathlib import Path

from lorarar.pictures.images import find_images
from lorarar.pictures.references import references_folder
from lorarar.util.errors import ImageError

ABOVE = 4  # folders above the database's in which a relative path is looked for


class PathResolver:
    """Finds the file that a path of the database means on this machine.

    A relative path is looked for in the working folder, beside the database, and in the folders above it, nearest
    first, since databases lie beside or below the folder in which a command was run.
    """

    def __init__(self, database: Path) -> None:
        folder = database.absolute().parent
        self.roots = [folder, *list(folder.parents)[:ABOVE]]

    def find(self, path: str) -> Path:
        """Find the file; where there is none, return the path as it stands, for an error to name."""
        if "\0" in path:
            return Path(path.replace("\0", "?"))  # no file can have such a name
        here = Path(path)
        if here.is_absolute() or here.exists():
            return here
        return next((root / path for root in self.roots if (root / path).exists()), here)

    def references(self, lora: str) -> tuple[Path, ...]:
        """The pictures a LoRA was trained on; none where they are gone."""
        try:
            return tuple(find_images(references_folder(self.find(lora))))
        except (ImageError, OSError, ValueError):
            return ()
