"""Zoom: one picture as large as the terminal allows, closer by cropping, with all that is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from PIL import Image
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from judge.questions import ASPECTS
from lorarar.pictures.images import read_image
from lorarar.store.makings import chosen_settings
from lorarar.store.queries import PictureRow
from lorarar.util.errors import ImageError, LorarError
from lorarar.util.formatting import number
from tui.catalog import MetricScores, Row
from tui.context import AppContext
from tui.notices import copy_text
from tui.open_external import open_external
from tui.snapshot import Snapshot, key_of
from tui.text import home, line
from tui.views.captions import MARKS
from tui.widgets.brand_line import BrandLine
from tui.widgets.key_bar import KeyBar

LARGEST = 2048  # pixels a side that are kept of a picture
CLOSEST = 16.0
STEP = 2.0
MADE_BY = ("prompt", "base", "base_revision", "steps", "guidance", "width", "height", "version", "created")
IMPORTED = ("prompt", "width", "height", "version", "created")  # what is known of a picture of another program


class ZoomScreen(Screen[int]):
    """Lies over the gallery; it returns the place of the last picture, for the gallery's cursor."""

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
        Binding("o", "open_external", "Open outside"),
        Binding("y", "copy", "Copy path"),
    ]
    DEFAULT_CSS = """
    ZoomScreen #frame { width: 1fr; height: 1fr; align: center middle; }
    ZoomScreen #frame > * { width: auto; height: auto; }
    ZoomScreen #about { width: 38; height: 1fr; padding: 0 1; background: $surface; }
    ZoomScreen #about > Static { height: auto; }
    """

    def __init__(self, context: AppContext, pictures: Sequence[PictureRow], place: int) -> None:
        super().__init__()
        self.context = context
        self.pictures, self.place = pictures, place
        self.scale, self.centre = 1.0, (0.5, 0.5)
        self.image: Image.Image | None = None  # as read; None: not yet, or it cannot be read
        self._counted: tuple[Snapshot, MetricScores] | None = None

    @property
    def picture(self) -> PictureRow:
        """The picture on show."""
        return self.pictures[self.place]

    def compose(self) -> ComposeResult:
        widget = self.context.picture_mode.widget
        yield BrandLine()
        with Horizontal():
            with Horizontal(id="frame"):
                yield widget(id="picture") if widget else Static("", id="picture")
            with VerticalScroll(id="about", can_focus=False):
                yield Static("", id="words")
        yield KeyBar()

    def on_mount(self) -> None:
        """Show the picture and its facts."""
        self._read()

    def action_back(self) -> None:
        """Go back to the gallery."""
        self.dismiss(self.place)

    def action_next(self, by: int) -> None:
        """Show the next picture."""
        self.place = (self.place + by) % len(self.pictures)
        self._read()

    def action_closer(self, by: int) -> None:
        """Come closer, or go away."""
        self.scale = min(max(self.scale * STEP**by, 1.0), CLOSEST)
        self._crop()

    def action_pan(self, right: int, down: int) -> None:
        """Move the part that is shown."""
        step = 0.25 / self.scale
        self.centre = (self.centre[0] + right * step, self.centre[1] + down * step)
        self._crop()

    def action_open_external(self) -> None:
        """Open the picture in the system's own viewer."""
        open_external(self, self.context.catalog.paths.find(self.picture.path))

    def action_copy(self) -> None:
        """Copy the picture's path."""
        copy_text(self, str(self.context.catalog.paths.find(self.picture.path)))

    @work(thread=True, exclusive=True, group="zoom")
    def _read(self) -> None:
        picture = self.picture
        self.call_later(self._show, picture, self._read_image(picture), self._read_facts(picture))

    def _read_image(self, picture: PictureRow) -> Image.Image | None:
        try:
            image = read_image(self.context.catalog.paths.find(picture.path))
        except ImageError:
            return None
        image.thumbnail((LARGEST, LARGEST))
        return image

    def _read_facts(self, picture: PictureRow) -> Text:
        catalog, snapshot = self.context.catalog, self.context.snapshot
        judge = snapshot.judge if snapshot else None
        try:
            return facts(
                picture,
                path=home(catalog.paths.find(picture.path)),
                provenance=catalog.picture(picture.id),
                answers=catalog.answers(picture, judge) if judge else [],
                scores=self._scores_of(picture, snapshot) if snapshot else {},
            )
        except LorarError as error:
            return Text(line(error), "red")

    def _scores_of(self, picture: PictureRow, snapshot: Snapshot) -> dict[str, float]:
        """A picture's scores as figures count them: by the backbones that scored most of its collection."""
        counted = self._counted
        if counted is None or counted[0] is not snapshot:
            counted = self._counted = snapshot, self.context.catalog.scores(snapshot.pictures)
        by_metric, key = counted[1].by_metric, key_of(picture)
        return {name: scores[key] for name, scores in by_metric.items() if key in scores}

    def _show(self, picture: PictureRow, image: Image.Image | None, text: Text) -> None:
        if picture is self.picture:
            self.image = image
            self.query_one("#words", Static).update(text)
            if self._counted is not None:
                self.query_one(BrandLine).show(self._counted[0].brand, *self._counted[1].brands)
            self._crop()

    def _crop(self) -> None:
        """Show the part of the picture around the centre."""
        widget = self.query_one("#picture")
        if isinstance(widget, Static):  # names instead of pictures
            size = f"{self.image.width} x {self.image.height} pixels" if self.image else "cannot be read"
            widget.update(size)
        elif self.image is not None:
            half = 0.5 / self.scale
            across, down = (min(max(at, half), 1 - half) for at in self.centre)
            self.centre = across, down
            widget.image = self.image.crop(crop_box(self.image.size, self.centre, half))  # type: ignore[attr-defined]


def crop_box(size: tuple[int, int], centre: tuple[float, float], half: float) -> tuple[int, int, int, int]:
    """The part of a picture within ``half`` of a centre, both as shares of its sides; in pixels, never empty.

    Returns:
        Left, top, right and bottom.
    """
    left, top = (round((at - half) * side) for at, side in zip(centre, size, strict=True))
    right, bottom = (round((at + half) * side) for at, side in zip(centre, size, strict=True))
    return left, top, max(right, left + 1), max(bottom, top + 1)


def facts(picture: PictureRow, path: str, provenance: Row, answers: Sequence[Row], scores: Mapping[str, float]) -> Text:
    """All that is known of a picture; its scores are by metric."""
    from judge.metrics.table import METRICS

    text = Text()
    text.append(f"{line(picture.row)}\n", "bold")
    text.append(f"{line(picture.content)} in {line(picture.style)}\nseed {picture.seed}\n")
    for aspect in ASPECTS:
        text.append_text(_answers(aspect, [answer for answer in answers if answer["aspect"] == aspect]))
    if scores:
        text.append("\nscores\n", "bold")
    for metric in (METRICS[name] for name in METRICS if name in scores):
        text.append(f"  {line(metric.title)} {number(scores[metric.name], metric.places)}\n")
        if metric.caution:
            text.append(f"  {metric.caution}\n", "dim")
    text.append("\nmade by\n", "bold")
    for name in MADE_BY if provenance.get("base") else IMPORTED:
        if provenance.get(name) not in (None, ""):
            text.append(f"  {name.replace('_', ' ')} ", "dim").append(f"{line(provenance[name], 200)}\n")
    for name, value in chosen_settings(provenance.get("makings")).items():
        text.append(f"  {name} ", "dim").append(f"{line(value, 200)}\n")
    text.append("  file ", "dim").append(f"{path}\n")
    return text.append("  sha256 ", "dim").append(line(picture.sha256[:16]))


def _answers(aspect: str, answers: Sequence[Row]) -> Text:
    """A judge's answers about an aspect, one line a reference; nothing where there are none."""
    text = Text()
    if answers:
        yes = sum(answer["verdict"] == 1 for answer in answers)
        text.append(f"\n{aspect}: {yes} of {len(answers)} references say yes\n", "bold")
    for answer in answers:
        clear = answer["verdict"] is not None
        mark, colour = MARKS[bool(answer["verdict"]) if clear else None]
        words = answer["answer"] if clear else answer["reason"] or answer["status"]
        probability = "" if answer["probability"] is None else f" {answer['probability']:.2f}"
        text.append(f"  {mark} ", colour).append(f"{line(words, 60)}{probability}\n")
    return text
