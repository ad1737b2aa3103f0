"""A picture with words under it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.containers import Vertical
from textual.events import Click
from textual.message import Message
from textual.widgets import Static

from tui.text import line

if TYPE_CHECKING:
    from PIL.Image import Image
    from textual.app import ComposeResult

    from tui.image_mode import Drawing
    from tui.thumbs import Thumbs


class Tile(Vertical):
    """A thumbnail with a caption; it draws itself once its thumbnail is there."""

    DEFAULT_CSS = """
    Tile { width: 18; height: 10; margin: 0 1 0 0; }
    Tile > .picture { width: auto; height: auto; }
    Tile > .caption { dock: bottom; height: 1; width: 100%; color: $text-muted; }
    Tile > .caption { text-wrap: nowrap; text-overflow: ellipsis; }
    Tile.chosen > .caption { background: $primary-background; color: $text; text-style: bold; }
    """

    class Chosen(Message):
        """A tile was clicked."""

        def __init__(self, tile: Tile) -> None:
            super().__init__()
            self.tile = tile

    def __init__(self, drawing: Drawing, *, absent: bool = False) -> None:
        super().__init__()
        self.display = not absent
        self.drawing = drawing
        self.shown = ""
        self._broken = False  # what is shown cannot be read
        self.about: Any = None
        self._picture: Any = drawing.widget(classes="picture") if drawing.widget else Static("", classes="picture")
        self._caption = Static("", classes="caption")

    def compose(self) -> ComposeResult:
        yield self._picture
        yield self._caption

    def show(self, key: str, path: Path, caption: Text | str, thumbs: Thumbs, about: Any = None) -> None:
        """Show a picture from now on; ``key`` is its digest."""
        self.about = about
        self._appear(True)
        if key == self.shown and self._broken:
            return
        self._say(caption if isinstance(caption, Text) else Text(line(caption)))
        if key == self.shown:
            return
        self.shown, self._broken = key, False
        if self.drawing.widget is None:
            self._picture.update(Text(line(path.name)))
            return
        self._picture.image = None  # words first: a page of pictures takes longer than a key may
        if (known := thumbs.known(key)) is not None:
            self.call_after_refresh(self._put, key, known)
        else:
            thumbs.wish(key, path, partial(self._told, key), lambda: self.shown == key)

    def put(self, key: str, image: Image, caption: str) -> None:
        """Show a picture that is in memory."""
        self._appear(True)
        self._say(Text(line(caption)))
        self.shown = key
        if self.drawing.widget is None:
            self._picture.update(Text(f"{image.width} x {image.height} pixels"))
        else:
            self._picture.image = image

    def clear(self) -> None:
        """Show nothing and take no room."""
        self.shown, self.about = "", None
        if self.drawing.widget is not None:
            self._picture.image = None
        self._appear(False)

    def mark(self, chosen: bool) -> None:
        """Show whether the cursor is here."""
        self.set_class(chosen, "chosen")

    def _appear(self, wanted: bool) -> None:
        """Not by a class, for which the style sheet is matched anew, and not needlessly, which lays out anew."""
        if self.display != wanted:
            self.display = wanted

    def _say(self, caption: Text) -> None:
        self._caption.update(caption, layout=False)  # its one line stays where it is

    def _told(self, key: str, image: Image | None) -> None:
        self.call_later(self._put, key, image)  # from the worker's thread to ours

    def _put(self, key: str, image: Image | None) -> None:
        if key != self.shown or not self.is_attached:
            return
        if image is None:
            self._broken = True
            self._say(Text("cannot be read", style="red"))
        else:
            self._picture.image = image

    def on_click(self, event: Click) -> None:
        event.stop()
        self.post_message(self.Chosen(self))
