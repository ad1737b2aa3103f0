"""A tree of folders with pictures: all files below a folder, in the order of names, without what programs left behind.

Links are followed, as everywhere, but never into a folder that they lie in.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lorarar.pictures.folders import caption_file, entries_of, is_left_behind, left_out
from lorarar.pictures.formats import is_readable
from lorarar.util.errors import ImageError
from lorarar.util.text import one_line, readable


@dataclass
class Tree:
    """What lies below a folder."""

    folder: Path
    pictures: list[Path] = field(default_factory=list)  # whole paths
    others: list[Path] = field(default_factory=list)  # files that are no pictures, nor captions of any
    refused: list[str] = field(default_factory=list)  # folders that may not be read, with why
    outside: int = 0  # pictures that lie elsewhere, by links

    def below(self, path: Path) -> str:
        """A path relative to the folder, with ``/``."""
        return path.relative_to(self.folder).as_posix()

    def name(self, path: Path) -> str:
        """The same for people."""
        return one_line(readable(Path(self.below(path))))

    def lines(self) -> Iterator[str]:
        """What is to be said of the tree beside its pictures."""
        if words := left_out(self.others):
            yield words
        for folder in self.refused:
            yield f"{folder}; what is in it is left out"
        if self.outside:
            yield f"{self.outside} of the pictures lie outside of {self.folder}, by links"


def read_tree(folder: Path) -> Tree:
    """All that lies below a folder.

    Raises:
        ImageError: it is not there, is no folder, or may not be read.
    """
    tree = Tree(folder)
    _read(tree, folder, Path(os.path.realpath(folder)), ())
    if tree.refused and not (tree.pictures or tree.others):
        raise ImageError(tree.refused[0])
    captions = {caption_file(picture) for picture in tree.pictures}
    tree.others = [path for path in tree.others if path not in captions]
    return tree


def _read(tree: Tree, folder: Path, root: Path, above: tuple[Path, ...]) -> None:
    real = Path(os.path.realpath(folder))
    if real in above:
        return
    try:
        entries = sorted(path for path in entries_of(folder) if not is_left_behind(path.name))
    except ImageError as error:
        tree.refused.append(str(error))
        return
    for path in entries:
        if _is_folder(path):
            _read(tree, path, root, (*above, real))
        elif is_readable(path.suffix):
            tree.pictures.append(path)
            place = Path(os.path.realpath(path)) if path.is_symlink() else real
            tree.outside += not place.is_relative_to(root)
        else:
            tree.others.append(path)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a link to what may not be looked at
        return False
