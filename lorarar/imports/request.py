"""An import from its wishes to its outcome: a folder or a manifest becomes a collection that bears a title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lorarar.imports.errors import ImportingError
from lorarar.imports.keep import ImportOutcome, PictureImport, keep_import
from lorarar.imports.left_out import LeftOut, why_no_picture
from lorarar.imports.own_picture import METHOD, check_method, check_title
from lorarar.imports.references import References, read_references
from lorarar.imports.sources import of_layout, read_source
from lorarar.imports.style_words import read_style_words
from lorarar.imports.tree import read_tree
from lorarar.pictures.images import read_size
from lorarar.store.filters import folder_collection
from lorarar.store.queries import Collection
from lorarar.store.store import Store


@dataclass(frozen=True)
class ImportRequest:
    """The wishes for an import."""

    source: Path  # a folder, or a manifest
    title: str
    pattern: str | None = None  # of the paths below the folder; None for the usual layout
    method: str = METHOD  # of pictures of which none is said
    references: Path | None = None  # a folder, or a manifest
    references_patterns: Sequence[str] = ()


def import_pictures(database: Path | None, request: ImportRequest, left_out: LeftOut) -> ImportOutcome:
    """Import pictures into a database, a new one if need be, which is not made where nothing can be taken.

    Raises:
        ImportingError: a wish is unsound, or there is nothing to take.
        ImageError: a folder is not there, or may not be read.
        StoreError: the database cannot be opened or written.
    """
    title, method = check_title(request.title), check_method(request.method)
    if request.references_patterns and request.references is None:
        raise ImportingError("--references-pattern goes together with --references")
    references = None
    if request.references is not None:
        references = read_references(request.references, request.references_patterns, left_out)
    pictures = read_source(request.source, request.pattern, method, left_out)
    if all(read_size(picture.path) == (0, 0) for picture in pictures):
        for picture in pictures:
            left_out.add(why_no_picture(picture.path), picture.where)
        raise ImportingError(f"{request.source} has no picture that can be taken{left_out.reasons}")
    wanted = PictureImport(Collection("import", title), request.source, pictures, references)
    with Store(database) as store:
        return keep_import(store, wanted, left_out)


def import_folder(store: Store, generated: Path, references: Path) -> ImportOutcome:
    """Import a folder of the usual layout under its own name, with references of the usual layout.

    Raises:
        ImportingError, ImageError, StoreError: as ``import_pictures``.
    """
    collection = folder_collection(generated, store.paths)
    left_out = LeftOut()
    pictures = of_layout(read_tree(generated), METHOD, left_out)
    given = References(references, words=read_style_words(references))
    return keep_import(store, PictureImport(collection, generated, pictures, given), left_out)
