"""References and options side by side, as a trial and the worked example show them."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import Click
from textual.message import Message
from textual.widgets import Static

from lorarar.pictures.images import read_image
from studies.rater.votes import Screen as ScreenFacts
from tui.picture_mode import PictureMode

FEWEST = 32  # pixels a side of an option, below which the terminal is too small to judge by


class FramedPicture(Vertical):
    """A picture under its name."""

    DEFAULT_CSS = """
    FramedPicture { width: 1fr; height: 1fr; align: center middle; }
    FramedPicture > .name { width: 100%; height: 1; text-align: center; color: $text-muted; }
    FramedPicture > .frame { width: 1fr; height: 1fr; align: center middle; }
    FramedPicture .picture { width: auto; height: auto; }
    """

    class Clicked(Message):
        """The picture was clicked."""

        def __init__(self, frame: FramedPicture) -> None:
            super().__init__()
            self.frame = frame

    def __init__(self, name: str, picture_mode: PictureMode, *, id: str) -> None:
        super().__init__(id=id)
        assert picture_mode.widget is not None
        self.picture: Any = picture_mode.widget(classes="picture")
        self._label = name

    def compose(self) -> ComposeResult:
        yield Static(Text(self._label), classes="name")
        with Horizontal(classes="frame"):
            yield self.picture

    def show(self, png: bytes) -> None:
        """Show a PNG picture."""
        self.picture.image = read_image(png)

    def on_click(self, event: Click) -> None:
        event.stop()
        self.post_message(self.Clicked(self))


class TrialPictures(Vertical):
    """Two references above one or two options."""

    DEFAULT_CSS = """
    TrialPictures { height: 1fr; }
    TrialPictures > .references { height: 1fr; background: $surface; }
    TrialPictures > .options { height: 2fr; }
    """

    def __init__(self, picture_mode: PictureMode, options: int) -> None:
        super().__init__()
        self.picture_mode = picture_mode
        self.subject_picture = FramedPicture("subject", picture_mode, id="subject")
        self.style_picture = FramedPicture("style", picture_mode, id="style")
        names = ("option 1", "option 2") if options > 1 else ("image",)
        self.options = [
            FramedPicture(name, picture_mode, id=f"option-{number}") for number, name in enumerate(names, start=1)
        ]

    def compose(self) -> ComposeResult:
        with Horizontal(classes="references"):
            yield self.subject_picture
            yield self.style_picture
        with Horizontal(classes="options"):
            yield from self.options

    def show(self, subject: bytes, style: bytes, options: tuple[bytes, ...]) -> None:
        """Show these PNG pictures, all at once."""
        frames = (self.subject_picture, self.style_picture, *self.options)
        with self.app.batch_update():
            for frame, png in zip(frames, (subject, style, *options), strict=True):
                frame.show(png)

    def screen_facts(self) -> ScreenFacts:
        """How an option is drawn here and now, for the vote."""
        cells = self.options[0].picture.size
        across, down = self.picture_mode.pixels_a_cell
        cell_width, cell_height = self.picture_mode.cell
        return ScreenFacts(
            renderer=self.picture_mode.name,
            columns=self.app.size.width,
            rows=self.app.size.height,
            cell_width=cell_width,
            cell_height=cell_height,
            picture_width=cells.width * across,
            picture_height=cells.height * down,
        )

    def too_small(self) -> str:
        """Why this terminal is too small to judge by; empty where it is not."""
        facts = self.screen_facts()
        fewest = min(facts.picture_width, facts.picture_height)
        if fewest >= FEWEST:
            return ""
        return (
            f"This terminal shows a picture with {facts.picture_width} x {facts.picture_height} pixels; "
            f"enlarge it or choose a smaller font until there are {FEWEST} x {FEWEST}."
        )
