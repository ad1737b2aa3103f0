"""The references of a pair in a row: the pictures its subject and its style were trained on."""

from __future__ import annotations

from rich.text import Text
from textual.containers import Horizontal

from tui.catalog import ReferencePictures
from tui.context import AppContext
from tui.widgets.tile import Tile

ROWS = 7  # of the terminal
MOST = 4  # of the subject, and as many of the style


class ReferenceStrip(Horizontal):
    """Shows a few references of the subject, then a few of the style."""

    DEFAULT_CSS = """
    ReferenceStrip { height: 7; padding: 0 1; }
    ReferenceStrip Tile { width: 12; height: 7; }
    """

    def __init__(self, context: AppContext, *, id: str) -> None:
        super().__init__(id=id)
        self.context = context

    def show(self, subject: ReferencePictures, style: ReferencePictures) -> bool:
        """Show the references.

        Returns:
            Whether there is any.
        """
        references = [
            (aspect, path, digest)
            for aspect, of_aspect in (("subject", subject), ("style", style))
            for path, digest in list(zip(of_aspect.paths, of_aspect.digests, strict=True))[:MOST]
        ]
        self.remove_children()
        tiles = [Tile(self.context) for _ in references]
        self.mount_all(tiles)
        for tile, (aspect, path, digest) in zip(tiles, references, strict=True):
            tile.show(digest, path, Text(aspect, "italic"))
        return bool(references)
