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
from tui.voting.arrangement import arrange
from tui.voting.conditions import smallness


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
    """Two references and one or two options, arranged so that the options are as large as they can be."""

    DEFAULT_CSS = """
    TrialPictures { height: 1fr; }
    TrialPictures > .references { background: $surface; }
    TrialPictures > .options FramedPicture { margin-left: 1; }
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
        self.references = Horizontal(self.subject_picture, self.style_picture, classes="references")

    def compose(self) -> ComposeResult:
        yield self.references
        with Horizontal(classes="options"):
            yield from self.options

    def show(self, subject: bytes, style: bytes, options: tuple[bytes, ...]) -> None:
        """Show these PNG pictures, all at once."""
        frames = (self.subject_picture, self.style_picture, *self.options)
        with self.app.batch_update():
            for frame, png in zip(frames, (subject, style, *options), strict=True):
                frame.show(png)
            self._arrange()

    def on_resize(self) -> None:
        """Arrange the pictures anew."""
        self._arrange()

    def _arrange(self) -> None:
        """Put the references above the options or beside them, whichever suits the room and the pictures."""
        if self.options[0].picture.image is None or not self.size:
            return
        shape = self.options[0].picture.image.size
        arrangement = arrange(self.size, len(self.options), shape, self.picture_mode)
        self.styles.layout = "horizontal" if arrangement.beside else "vertical"
        self.references.styles.layout = "vertical" if arrangement.beside else "horizontal"
        self.references.styles.width = arrangement.references if arrangement.beside else "100%"
        self.references.styles.height = "100%" if arrangement.beside else arrangement.references

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
            colours=self.picture_mode.colours or 0,
        )

    def smallness(self) -> str:
        """Why the pictures are too small to judge by in this window; empty where they are not."""
        picture = self.options[0].picture.image
        return smallness(self.app.size, len(self.options), picture.size, self.picture_mode)
