"""References and options side by side, as a trial and the worked example show them."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Click
from textual.message import Message
from textual.widgets import Static

from studies.rater.votes import Screen as Shown
from tui.image_mode import Drawing

REFERENCES = 0.34  # of the height
FEWEST = 32  # pixels a side of an option, below which the terminal is too small to judge by


class Framed(Vertical):
    """A picture under its name."""

    DEFAULT_CSS = """
    Framed { width: 1fr; height: 1fr; align: center middle; }
    Framed > .name { width: 100%; height: 1; text-align: center; color: $text-muted; }
    Framed > .frame { width: 1fr; height: 1fr; align: center middle; }
    Framed .picture { width: auto; height: auto; }
    """

    class Clicked(Message):
        """It was clicked."""

        def __init__(self, framed: Framed) -> None:
            super().__init__()
            self.framed = framed

    def __init__(self, name: str, drawing: Drawing, *, id: str) -> None:
        super().__init__(id=id)
        assert drawing.widget is not None
        self.picture: Any = drawing.widget(classes="picture")
        self._words = name

    def compose(self) -> ComposeResult:
        yield Static(Text(self._words), classes="name")
        with Horizontal(classes="frame"):
            yield self.picture

    def show(self, png: bytes) -> None:
        """Show this picture."""
        image = Image.open(io.BytesIO(png), formats=("PNG",))
        image.load()
        self.picture.image = image.convert("RGB")

    def on_click(self, event: Click) -> None:
        event.stop()
        self.post_message(self.Clicked(self))


class Pictures(Vertical):
    """Two references above one or two options."""

    DEFAULT_CSS = """
    Pictures { height: 1fr; }
    Pictures > .references { height: 1fr; background: $surface; }
    Pictures > .options { height: 2fr; }
    """

    def __init__(self, drawing: Drawing, options: int, names: tuple[str, ...]) -> None:
        super().__init__()
        self.drawing = drawing
        self.subject = Framed("subject", drawing, id="subject")
        self.style_ = Framed("style", drawing, id="style")
        self.options = [Framed(names[at], drawing, id=f"option-{at + 1}") for at in range(options)]

    def compose(self) -> ComposeResult:
        with Horizontal(classes="references"):
            yield self.subject
            yield self.style_
        with Horizontal(classes="options"):
            yield from self.options

    def show(self, subject: bytes, style: bytes, options: tuple[bytes, ...]) -> None:
        """Show these, all at once."""
        with self.app.batch_update():
            for framed, png in zip((self.subject, self.style_, *self.options), (subject, style, *options), strict=True):
                framed.show(png)

    def screen_facts(self) -> Shown:
        """How an option is drawn here and now, for the vote."""
        cells = self.options[0].picture.size
        across, down = self.drawing.pixels_a_cell
        cell = self.drawing.cell
        size = self.app.size
        return Shown(
            self.drawing.name, size.width, size.height, cell[0], cell[1], cells.width * across, cells.height * down
        )

    def too_small(self) -> str:
        """Why this terminal is too small, or nothing."""
        facts = self.screen_facts()
        fewest = min(facts.picture_width, facts.picture_height)
        if fewest >= FEWEST:
            return ""
        return (
            f"This terminal shows a picture with {facts.picture_width} x {facts.picture_height} pixels; "
            f"enlarge it or choose a smaller font until there are {FEWEST} x {FEWEST}."
        )
