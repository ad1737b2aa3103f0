"""Where an import's pictures are named: in a tree by a pattern, in a tree of the usual layout, or in a manifest.

Each source gives its pictures in order and counts what it leaves out; nothing of a picture is read yet but its path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from lorarar.imports.errors import ImportingError
from lorarar.imports.left_out import LeftOut
from lorarar.imports.manifest import is_manifest, read_manifest
from lorarar.imports.own_picture import OwnPicture, picture_of
from lorarar.imports.pattern import FIELDS, AmbiguousPathError, PathPattern
from lorarar.imports.tree import Tree, read_tree
from lorarar.util.grouping import group_by
from lorarar.util.messages import message

COLUMNS = ("path", *FIELDS, "prompt")
LAYOUTS = "SUBJECT/STYLE/ or METHOD/SUBJECT/STYLE/"


def read_source(source: Path, pattern: str | None, method: str, left_out: LeftOut) -> list[OwnPicture]:
    """The pictures of a folder or of a manifest.

    Args:
        source: a folder, or a ``.csv`` or ``.jsonl`` file.
        pattern: of the paths below the folder; without one it has the usual layout.
        method: of pictures of which none is said.
        left_out: where those are counted that are not taken.

    Raises:
        ImportingError: a pattern is unsound, or given with a manifest, or a tree has no layout; or there is nothing.
        ImageError: the folder is not there, or may not be read.
    """
    if is_manifest(source):
        if pattern is not None:
            raise ImportingError(f"--pattern is of folders, and {source} is a file; a manifest says all in its rows")
        return of_manifest(source, method, left_out)
    parsed = None if pattern is None else PathPattern.parse(pattern, ("subject", "style"), FIELDS)
    tree = read_tree(source)
    for line in tree.lines():
        message(line, "yellow")
    return of_layout(tree, method, left_out) if parsed is None else of_pattern(tree, parsed, method, left_out)


def of_pattern(tree: Tree, pattern: PathPattern, method: str, left_out: LeftOut) -> list[OwnPicture]:
    """The pictures of a tree whose paths match a pattern."""
    pictures = []
    for path in tree.pictures:
        values = fields_of(tree, path, pattern.read, left_out)
        if values is not None and (picture := picture_of(path, tree.name(path), values, method, left_out)):
            pictures.append(picture)
    return pictures


def fields_of(
    tree: Tree, path: Path, read: Callable[[str], Mapping[str, str] | None], left_out: LeftOut
) -> Mapping[str, str] | None:
    """What a pattern, or the first of several, reads from a path; None, and counted, where it is nothing or unclear."""
    try:
        values = read(tree.below(path))
    except AmbiguousPathError:
        left_out.add("the pattern reads their paths in several ways", tree.name(path))
        return None
    if values is None:
        left_out.add("their paths do not match the pattern", tree.name(path))
    return values


def of_layout(tree: Tree, method: str, left_out: LeftOut) -> list[OwnPicture]:
    """The pictures of a tree ``SUBJECT/STYLE/`` or ``METHOD/SUBJECT/STYLE/``: which it is, say the folders above them.

    Args:
        tree: the folder.
        method: of pictures that lie in no folder of a method.
        left_out: where those are counted that lie higher or deeper.

    Raises:
        ImportingError: pictures lie in both, or in neither.
    """
    parts = {path: Path(tree.below(path)).parts for path in tree.pictures}
    by_depth = group_by(tree.pictures, lambda path: len(parts[path]) - 1)
    two, three = by_depth.get(2, []), by_depth.get(3, [])
    if two and three:
        raise ImportingError(
            f"{tree.folder} has pictures in two layouts: {len(two)} like {tree.name(two[0])} in SUBJECT/STYLE/, "
            f"{len(three)} like {tree.name(three[0])} in METHOD/SUBJECT/STYLE/; accepted is one of both, "
            "or a pattern: lorarar pictures import --pattern"
        )
    if not (two or three):
        raise ImportingError(f"{tree.folder} has no folders {LAYOUTS} with pictures")
    depth = 3 if three else 2
    pictures = []
    for path, (*folders, _) in parts.items():
        if len(folders) != depth:
            left_out.add(f"they lie in no folder {'METHOD/' if depth == 3 else ''}SUBJECT/STYLE/", tree.name(path))
            continue
        values = dict(zip(("method", "subject", "style")[3 - depth :], folders, strict=True))
        if picture := picture_of(path, tree.name(path), values, method, left_out):
            pictures.append(picture)
    return pictures


def of_manifest(file: Path, method: str, left_out: LeftOut) -> list[OwnPicture]:
    """The pictures that a manifest's rows name, by paths from its folder."""
    pictures = []
    for row in read_manifest(file, COLUMNS, ("path", "subject", "style"), left_out):
        path = row.path(file, left_out)
        if path is not None and (picture := picture_of(path, row.name, row.values, method, left_out)):
            pictures.append(picture)
    return pictures
