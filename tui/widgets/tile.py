"""A picture with words under it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.style import Style
from rich.text import Text
from textual.containers import Vertical
from textual.events import Click
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Static

from tui.text import line

if TYPE_CHECKING:
    from PIL.Image import Image
    from textual.app import App, ComposeResult

    from lorarar.store.queries import PictureRow
    from tui.context import AppContext


class Tile(Vertical):
    """Shows a thumbnail with a caption, once the thumbnail is there."""

    DEFAULT_CSS = """
    Tile { width: 18; height: 10; margin: 0 1 0 0; color: $text-muted; }
    Tile > .picture { width: auto; height: auto; margin: 0 0 1 0; color: $foreground; }
    Tile.chosen { background: $primary-background; color: $text; text-style: bold; }
    """

    class Chosen(Message):
        """The tile was clicked."""

        def __init__(self, tile: Tile) -> None:
            super().__init__()
            self.tile = tile

    def __init__(self, context: AppContext, *, absent: bool = False) -> None:
        super().__init__()
        self.display = not absent
        self.context = context
        self.key = ""  # the digest of the picture on show; empty: none
        self.row: PictureRow | None = None  # the picture on show, where it is one of the database
        self._broken = False  # the picture on show cannot be read
        widget = context.picture_mode.widget
        self.picture: Any = widget(classes="picture") if widget else Static("", classes="picture")
        self._ground = Strip.blank(0)  # a row of the screen's ground
        self.caption = Text()  # drawn here, in the row below the picture: a widget more would cost a millisecond

    def compose(self) -> ComposeResult:
        yield self.picture

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw rows; what is the same in many is worked out once."""
        self._ground = Strip.blank(self.size.width, Style.from_color(bgcolor=self.background_colors[0].rich_color))
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Draw the caption in the last row, and the screen's ground where the picture leaves room."""
        width = self.size.width
        if y < self.size.height - 1:
            return self._ground
        words, style = self.caption.copy(), self.rich_style
        words.truncate(width, overflow="ellipsis")
        strip = Strip(words.render(self.app.console), words.cell_len)
        return strip.apply_style(style).extend_cell_length(width, style)

    def show_row(self, row: PictureRow, caption: Text) -> None:
        """Show a picture of the database from now on."""
        self.show(row.sha256, self.context.catalog.paths.find(row.path), caption)
        self.row = row

    def show(self, key: str, path: Path, caption: Text) -> None:
        """Show a picture file from now on; ``key`` is its digest."""
        self.row = None
        self._appear(True)
        if key == self.key and self._broken:
            return
        self._say(caption)
        if key == self.key:
            return
        self.key, self._broken = key, False
        if self.context.picture_mode.widget is None:
            self.picture.update(Text(line(path.name)))
            return
        self.picture.image = None  # words first: a page of pictures takes longer than a key may
        if (image := self.context.thumbnails.cached(key)) is not None:
            self.call_after_refresh(self._put, key, image)
        else:
            self.context.thumbnails.request(key, path, partial(self._receive, self.app, key), lambda: self.key == key)

    def put(self, key: str, image: Image, caption: str) -> None:
        """Show a picture that is in memory."""
        self._appear(True)
        self._say(Text(line(caption)))
        self.key = key
        if self.context.picture_mode.widget is None:
            self.picture.update(Text(f"{image.width} x {image.height} pixels"))
        else:
            self.picture.image = image

    def clear(self) -> None:
        """Show nothing and take no room."""
        self.key, self.row = "", None
        if self.context.picture_mode.widget is not None:
            self.picture.image = None
        self._appear(False)

    def mark(self, chosen: bool) -> None:
        """Show whether the cursor is here."""
        self.set_class(chosen, "chosen")

    def on_click(self, event: Click) -> None:
        """Say that the tile was clicked."""
        event.stop()
        self.post_message(self.Chosen(self))

    def _appear(self, visible: bool) -> None:
        """Show or hide; by a class the style sheet would be matched anew, and needlessly all be laid out anew."""
        if self.display != visible:
            self.display = visible

    def _say(self, caption: Text) -> None:
        if caption != self.caption or caption.spans != self.caption.spans:
            self.caption = caption
            self.refresh(Region(0, self.size.height - 1, self.size.width, 1))

    def _receive(self, app: App[object], key: str, image: Image | None) -> None:
        """Hand an image from the worker's thread to ours, by the app: the tile may be gone by now."""
        app.call_later(self._put, key, image)

    def _put(self, key: str, image: Image | None) -> None:
        if key != self.key or not self.is_attached:
            return
        if image is None:
            self._broken = True
            self._say(Text("cannot be read", style="red"))
        else:
            self.picture.image = image
