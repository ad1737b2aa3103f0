"""References of an import: in the usual layout, by patterns of paths, or in a manifest.

Those of the usual layout, ``subjects/SUBJECT/`` and ``styles/STYLE/``, are looked for in their folder whenever they are
needed; the others are kept one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lorarar.imports.errors import ImportingError
from lorarar.imports.left_out import LeftOut, why_no_picture
from lorarar.imports.manifest import is_manifest, read_manifest
from lorarar.imports.own_picture import is_name
from lorarar.imports.pattern import PathPattern
from lorarar.imports.sources import fields_of
from lorarar.imports.style_words import read_style_words
from lorarar.imports.tree import read_tree
from lorarar.pictures.folders import child
from lorarar.pictures.images import read_size
from lorarar.store.concept_words import Side
from lorarar.store.picture_references import pictures_in, reference_places
from lorarar.util.files import is_text
from lorarar.util.text import alike

SIDES: Mapping[str, Side] = {"subject": "content", "style": "style"}  # by the field of a pattern, or the column
OPTION = "--references-pattern"

Listed = Mapping[tuple[Side, str], Sequence[Path]]  # references by what they show


@dataclass(frozen=True)
class References:
    """Where the references of an import are, and the words of its styles."""

    folder: Path | None  # with the usual layout; None where they are listed
    listed: Listed = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)  # by style

    def pictures(self, side: Side, name: str) -> Sequence[Path]:
        """The references of a concept that are listed; none where they are not, or where it has no others."""
        same = alike(name, [other for kind, other in self.listed if kind == side])
        return () if same is None else self.listed[side, same]

    def has(self, side: Side, name: str) -> bool:
        """Whether there are any of a concept, listed or in the folder."""
        return bool(self.pictures(side, name)) or (self.folder is not None and bool(in_folder(self.folder, side, name)))

    def words_of(self, style: str) -> str | None:
        """The words of a style; None where none are said."""
        same = alike(style, self.words)
        return None if same is None else self.words[same]


def in_folder(folder: Path, side: Side, name: str) -> tuple[Path, ...]:
    """The references of a concept in a folder of the usual layout."""
    subject, style = reference_places(folder, name, name)
    return pictures_in(style if side == "style" else subject)


def read_references(source: Path, patterns: Sequence[str], left_out: LeftOut) -> References:
    """The references of a folder or of a manifest.

    Raises:
        ImportingError: a pattern, the manifest or ``styles.toml`` is unsound, or there is nothing.
        ImageError: the folder is not there, or may not be read.
    """
    if is_manifest(source):
        if patterns:
            raise ImportingError(f"{OPTION} is of folders, and {source} is a file; a manifest says all in its rows")
        listed = _listed(_in_manifest(source, left_out), left_out)
        return References(None, listed, read_style_words(source.parent))
    words = read_style_words(source)
    if patterns:
        return References(None, _listed(_by_pattern(source, patterns, left_out), left_out), words)
    if not any(child(source, name).is_dir() for name in ("subjects", "styles")):
        read_tree(source)  # which says what is wrong with the folder itself
        raise ImportingError(
            f"{source} has no folders subjects/SUBJECT/ and styles/STYLE/; accepted are these, or patterns like "
            f'{OPTION} "{{subject}}/*" {OPTION} "looks/{{style}}.*", or a manifest'
        )
    return References(source, words=words)


def _listed(pictures: Iterator[tuple[str, str, Path, str]], left_out: LeftOut) -> Listed:
    """References by what they show, in order; those that cannot be read are counted."""
    listed: dict[tuple[Side, str], list[Path]] = {}
    for kind, name, path, where in pictures:
        if not is_text(path):
            left_out.add("the file's name is no UTF-8", f"reference {where}")
        elif read_size(path) == (0, 0):
            left_out.add(why_no_picture(path), f"reference {where}")
        elif path not in (paths := listed.setdefault((SIDES[kind], name), [])):
            paths.append(path)
    if not listed:
        raise ImportingError(f"there are no references{left_out.reasons}")
    return listed


def _by_pattern(folder: Path, patterns: Sequence[str], left_out: LeftOut) -> Iterator[tuple[str, str, Path, str]]:
    """The kind, the name and the path of each reference, by the first pattern that its path matches."""
    parsed = [_pattern(text) for text in patterns]

    def read(path: str) -> Mapping[str, str] | None:
        return next((values for pattern in parsed if (values := pattern.read(path)) is not None), None)

    tree = read_tree(folder)
    for path in tree.pictures:
        for kind, name in (fields_of(tree, path, read, left_out) or {}).items():
            yield kind, name, path, tree.name(path)


def _pattern(text: str) -> PathPattern:
    pattern = PathPattern.parse(text, (), tuple(SIDES), OPTION)
    if sum(f"{{{name}}}" in text for name in SIDES) != 1:
        raise ImportingError(f"{OPTION} {text!r} has to have {{subject}} or {{style}}; give one pattern for each")
    return pattern


def _in_manifest(file: Path, left_out: LeftOut) -> Iterator[tuple[str, str, Path, str]]:
    """The kind, the name and the path of each reference that a row names."""
    for row in read_manifest(file, ("path", *SIDES), ("path",), left_out):
        named = [(kind, row.values[kind]) for kind in SIDES if row.values.get(kind)]
        if len(named) != 1 or not is_name(named[0][1]):
            left_out.add("neither a subject nor a style is said, or both", f"reference {row.name}")
        elif (path := row.path(file, left_out)) is not None:
            yield *named[0], path, row.name
