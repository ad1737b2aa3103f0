"""Zoom: one picture as large as the terminal allows, closer by cropping, with all that is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from PIL import Image
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from lorarar.pictures.images import read_image
from lorarar.store.queries import PictureRow
from lorarar.util.errors import ImageError, LorarError
from tui.captions import MARKS
from tui.catalog import Row
from tui.text import home, line, number
from tui.widgets.key_bar import Keys

if TYPE_CHECKING:
    from tui.app import LorararApp

LARGEST = 2048  # pixels a side that are kept of a picture
CLOSEST = 16.0
STEP = 2.0


class ZoomScreen(Screen[int]):
    """Over the gallery; leaving it, the gallery's cursor is where one stopped."""

    HELP = "Zoom: + and - come closer by cropping, the arrows move, n and p are the next and the previous picture."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace,enter", "back", "Back"),
        Binding("plus,equals_sign", "closer(1)", "Closer", key_display="+"),
        Binding("minus", "closer(-1)", "Away", key_display="-"),
        Binding("n,space", "next(1)", "Next"),
        Binding("p", "next(-1)", "Previous"),
        Binding("left,h", "pan(-1, 0)", "Left", show=False),
        Binding("right,l", "pan(1, 0)", "Right", show=False),
        Binding("up,k", "pan(0, -1)", "Up", show=False),
        Binding("down,j", "pan(0, 1)", "Down", show=False),
        Binding("o", "open_outside", "Open outside"),
        Binding("y", "copy", "Copy path"),
    ]
    DEFAULT_CSS = """
    ZoomScreen #frame { width: 1fr; height: 1fr; align: center middle; }
    ZoomScreen #frame > * { width: auto; height: auto; }
    ZoomScreen #about { width: 38; height: 1fr; padding: 0 1; background: $surface; }
    ZoomScreen #about > Static { height: auto; }
    """

    def __init__(self, shots: Sequence[PictureRow], place: int) -> None:
        super().__init__()
        self.shots, self.place = shots, place
        self.scale, self.centre = 1.0, (0.5, 0.5)
        self._image: Image.Image | None = None

    @property
    def lorarar(self) -> LorararApp:
        """The app."""
        return cast("LorararApp", self.app)

    def compose(self) -> ComposeResult:
        widget = self.lorarar.drawing.widget
        with Horizontal():
            with Horizontal(id="frame"):
                yield widget(id="picture") if widget else Static("", id="picture")
            with VerticalScroll(id="about", can_focus=False):
                yield Static("", id="words")
        yield Keys()

    def on_mount(self) -> None:
        """The picture and its facts."""
        self._read()

    def action_back(self) -> None:
        """To the gallery."""
        self.dismiss(self.place)

    def action_next(self, by: int) -> None:
        """The next picture."""
        self.place = (self.place + by) % len(self.shots)
        self._read()

    def action_closer(self, by: int) -> None:
        """Closer, or away."""
        self.scale = min(max(self.scale * STEP**by, 1.0), CLOSEST)
        self._crop()

    def action_pan(self, right: int, down: int) -> None:
        """Move what is cropped."""
        step = 0.25 / self.scale
        self.centre = (self.centre[0] + right * step, self.centre[1] + down * step)
        self._crop()

    def action_open_outside(self) -> None:
        """In the system's own viewer."""
        from tui.open_external import open_outside

        open_outside(self.lorarar, self.shots[self.place])

    def action_copy(self) -> None:
        """The picture's path."""
        self.lorarar.copy(str(self.lorarar.catalog.paths.find(self.shots[self.place].path)))

    @work(thread=True, exclusive=True, group="zoom")
    def _read(self) -> None:
        shot, catalog, snapshot = self.shots[self.place], self.lorarar.catalog, self.lorarar.snapshot
        path = catalog.paths.find(shot.path)
        try:
            image = read_image(path)
            image.thumbnail((LARGEST, LARGEST))
        except ImageError:
            image = None
        try:
            judge = snapshot.judge if snapshot else None
            answers = catalog.answers(shot.sha256, judge) if judge else []
            facts = about(shot, home(path), catalog.picture(shot.id), answers, catalog.scores_of(shot.sha256))
        except LorarError as error:
            facts = Text(line(error), "red")
        self.call_later(self._show, shot, image, facts)

    def _show(self, shot: PictureRow, image: Image.Image | None, facts: Text) -> None:
        if shot is not self.shots[self.place]:
            return
        self._image = image
        self.query_one("#words", Static).update(facts)
        self._crop()

    def _crop(self) -> None:
        picture = self.query_one("#picture")
        if self._image is None or self.lorarar.drawing.widget is None:
            text = "cannot be read" if self._image is None else f"{self._image.width} x {self._image.height} pixels"
            if isinstance(picture, Static):
                picture.update(text)
            return
        half = 0.5 / self.scale
        self.centre = cast(tuple[float, float], tuple(min(max(c, half), 1 - half) for c in self.centre))
        width, height = self._image.size
        left, top = (round((c - half) * side) for c, side in zip(self.centre, (width, height), strict=True))
        right, bottom = (round((c + half) * side) for c, side in zip(self.centre, (width, height), strict=True))
        picture.image = self._image.crop((left, top, max(right, left + 1), max(bottom, top + 1)))  # type: ignore[attr-defined]


def about(shot: PictureRow, path: str, made: Row, answers: Sequence[Row], scores: Sequence[Row]) -> Text:
    """All that is known of a picture."""
    text = Text()
    text.append(f"{line(shot.row)}\n", "bold")
    text.append(f"{line(shot.content)} in {line(shot.style)}\nseed {shot.seed}\n")
    for aspect in ("subject", "style"):
        mine = [answer for answer in answers if answer["aspect"] == aspect]
        if mine:
            yes = sum(answer["verdict"] == 1 for answer in mine)
            text.append(f"\n{aspect}: {yes} of {len(mine)} references say yes\n", "bold")
        for answer in mine:
            clear = answer["verdict"] is not None
            mark, colour = MARKS[bool(answer["verdict"]) if clear else None]
            text.append(f"  {mark} ", colour)
            said = answer["answer"] if clear else answer["reason"] or answer["status"]
            chance = "" if answer["probability"] is None else f" {answer['probability']:.2f}"
            text.append(f"{line(said, 60)}{chance}\n")
    if scores:
        text.append("\nscores\n", "bold")
    for metric in dict.fromkeys(score["metric"] for score in scores):
        value = next(score["value"] for score in scores if score["metric"] == metric)
        text.append(f"  {line(metric)} {number(value, 3)}\n")
    text.append("\nmade by\n", "bold")
    for name in ("prompt", "base", "base_revision", "steps", "guidance", "width", "height", "version", "created"):
        if made.get(name) is not None:
            text.append(f"  {name.replace('_', ' ')} ", "dim").append(f"{line(made[name], 200)}\n")
    text.append("  file ", "dim").append(f"{path}\n")
    return text.append("  sha256 ", "dim").append(line(shot.sha256[:16]))
