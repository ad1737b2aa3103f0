"""Zoom: one picture beside its references, or alone as large as the terminal allows, with all that is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from PIL import Image
from rich.cells import cell_len
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Static

from lorarar.pictures.images import read_image
from lorarar.store.queries import PictureRow
from lorarar.util.errors import ImageError, LorarError
from tui.catalog import MetricScores
from tui.context import AppContext
from tui.open_external import open_external
from tui.screens.browse import BrowseScreen
from tui.snapshot import Snapshot, key_of
from tui.text import home, line
from tui.views.captions import caption
from tui.views.gallery_page import Page
from tui.views.picture_facts import PictureFacts, facts
from tui.views.selection import Selection
from tui.widgets.brand_line import BrandLine
from tui.widgets.legend import MARKS_LEGEND
from tui.widgets.pinned_references import PinnedReferences

LARGEST = 2048  # pixels a side that are kept of a picture
CLOSEST = 16.0
STEP = 2.0


class ZoomScreen(BrowseScreen):
    """Lies over the gallery; it returns the place of the last picture, for the gallery's cursor.

    Args:
        context: Of the app.
        pictures: Those of the gallery.
        place: Among them, of the one to show first.
        selection: What the gallery shows, which says whose picture ``flip`` puts in the place of one.
    """

    HELP = (
        "Zoom: + and - come closer by cropping, the arrows move, n and p are the next and the previous picture. Beside "
        "it, as large, are references of its subject and of its style with what the judge answered about the two; e "
        "shows others, f the picture alone. Space puts the other method's picture of the same seed in its place."
    )
    LEGEND = MARKS_LEGEND
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace,enter", "escape", "Back"),
        Binding("plus,equals_sign", "closer(1)", "Closer", key_display="+"),
        Binding("minus", "closer(-1)", "Away", key_display="-"),
        Binding("space", "flip", "Flip"),
        Binding("n", "next(1)", "Next"),
        Binding("p", "next(-1)", "Previous"),
        Binding("e", "references", "References"),
        Binding("f", "alone", "Picture alone"),
        Binding("left,h", "pan(-1, 0)", "Left", show=False),
        Binding("right,l", "pan(1, 0)", "Right", show=False),
        Binding("up,k", "pan(0, -1)", "Up", show=False),
        Binding("down,j", "pan(0, 1)", "Down", show=False),
        Binding("o", "open_external", "Open outside", show=False),
    ]
    DEFAULT_CSS = """
    ZoomScreen #both { height: 1fr; }
    ZoomScreen #pictures { width: 1fr; height: 1fr; align: center middle; }
    ZoomScreen #frame { width: 1fr; height: auto; }
    ZoomScreen #picture { width: auto; height: auto; }
    ZoomScreen #caption { height: 1; width: 100%; text-wrap: nowrap; text-overflow: ellipsis; text-style: bold; }
    ZoomScreen #references { padding: 0; }
    ZoomScreen #about { width: 38; height: 1fr; padding: 0 1; background: $surface; }
    ZoomScreen #about > Static { height: auto; }
    """

    def __init__(self, context: AppContext, pictures: Sequence[PictureRow], place: int, selection: Selection) -> None:
        super().__init__(context)
        self.pictures, self.place, self.selection = pictures, place, selection
        self.flipped = False  # the other method's picture is shown
        self.alone = context.state.facts.get("zoom alone") is True  # without references
        self.scale, self.centre = 1.0, (0.5, 0.5)
        self.image: Image.Image | None = None  # as read; None: not yet, or it cannot be read
        self._counted: tuple[Snapshot, MetricScores] | None = None
        self._facts: PictureFacts | None = None
        self._room = 0  # terminal columns of the caption

    @property
    def picture(self) -> PictureRow:
        """The picture on show."""
        return (self.counterpart if self.flipped else None) or self.pictures[self.place]

    @property
    def counterpart(self) -> PictureRow | None:
        """The other method's picture of the same pair and seed; None where there is none."""
        snapshot = self.context.snapshot
        return self.selection.counterpart(snapshot, self.pictures[self.place]) if snapshot else None

    def body(self) -> ComposeResult:
        """The picture and its references, and what is known of it."""
        widget = self.context.picture_mode.widget
        with Horizontal(id="both"):
            with Horizontal(id="pictures"):
                with Vertical(id="frame"):
                    yield widget(id="picture") if widget else Static("", id="picture")
                    yield Static("", id="caption")
                yield PinnedReferences(self.context)
            with VerticalScroll(id="about", can_focus=False):
                yield Static("", id="words")

    def on_resize(self) -> None:
        """Make all as large as there is room for."""
        self.call_after_refresh(self._lay_out)

    def update(self, snapshot: Snapshot) -> None:
        """Show the picture and what is known of it, which may be more than before."""
        self._read()

    def action_back(self) -> None:
        """Go back to the gallery."""
        self.dismiss(self.place)

    def action_flip(self) -> None:
        """Show the other method's picture of the same seed in the place of this one, as close; or this one again."""
        if not self.flipped and self.counterpart is None:
            self.notify(f"the other method has no picture of seed {self.picture.seed}")
            return
        self.flipped = not self.flipped
        self._read()

    def action_references(self) -> None:
        """Show other references, where not all have room."""
        self.query_one(PinnedReferences).turn(1)

    def action_alone(self) -> None:
        """Show the picture without references, which is larger; or with them."""
        self.alone = not self.alone
        self.context.state.remember(**{"zoom alone": self.alone})
        self._lay_out()

    def on_pinned_references_pinned(self, event: PinnedReferences.Pinned) -> None:
        """Give references their room, and say each answer with its own reference."""
        event.stop()
        self._lay_out()
        self._show_words()

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

    def text_to_copy(self) -> str:
        """The picture's path."""
        return str(self.context.catalog.paths.find(self.picture.path))

    def _read(self) -> None:
        """Say at once which picture it is; the picture follows, then what is known of it, which may take a second."""
        self._show_caption()
        self._read_picture()

    @work(thread=True, exclusive=True, group="zoom")
    def _read_picture(self) -> None:
        picture = self.picture
        image = self._read_image(picture)
        self.call_later(self._show_picture, picture, image)
        self.call_later(self._show, picture, image, self._read_facts(picture))

    def _read_image(self, picture: PictureRow) -> Image.Image | None:
        try:
            image = read_image(self.context.catalog.paths.find(picture.path))
        except ImageError:
            return None
        image.thumbnail((LARGEST, LARGEST))
        return image

    def _read_facts(self, picture: PictureRow) -> PictureFacts:
        catalog, snapshot = self.context.catalog, self.context.snapshot
        path = home(catalog.paths.find(picture.path))
        try:
            scores = self._scores_of(picture, snapshot) if snapshot else {}
            return PictureFacts(picture, path, catalog.picture(picture.id), scores)
        except LorarError as error:
            return PictureFacts(picture, path, {}, {}, line(error))

    def _scores_of(self, picture: PictureRow, snapshot: Snapshot) -> dict[str, float]:
        """A picture's scores as figures count them: by the backbones that scored most of its collection."""
        self._counted = snapshot, self.context.scores(snapshot)
        by_metric, key = self._counted[1].by_metric, key_of(picture)
        return {name: scores[key] for name, scores in by_metric.items() if key in scores}

    def _show_picture(self, picture: PictureRow, image: Image.Image | None) -> None:
        if picture is self.picture and self.is_attached:
            self.image = image
            self._crop()

    def _show(self, picture: PictureRow, image: Image.Image | None, picture_facts: PictureFacts) -> None:
        if picture is self.picture and self.is_attached:
            self.image, self._facts = image, picture_facts
            self.query_one(PinnedReferences).follow([picture])
            self._show_words()
            if self._counted is not None:
                self.query_one(BrandLine).show(self._counted[0].brand, *self._counted[1].brands)
            self._lay_out()

    def _show_words(self) -> None:
        """Say which picture it is below it, and beside it what is known of it."""
        if self._facts is None:
            return
        self._show_caption()
        self.query_one("#words", Static).update(facts(self._facts, self.query_one(PinnedReferences).pinned))

    def _show_caption(self) -> None:
        picture, other = self.picture, self.counterpart
        words = caption(self.context.snapshot, picture, f"{line(picture.row, 40)} seed {picture.seed}")
        if self.flipped or other is not None:
            twin = self.pictures[self.place] if self.flipped else other
            hint = f"  Space: {line(twin.row, 30)}" if twin else ""
            if cell_len(words.plain + hint) <= self._room:  # else the line of keys says it alone
                words.append(hint, "not bold dim")
        self.query_one("#caption", Static).update(words)

    def _lay_out(self) -> None:
        """Give the picture and its references the same size, as large as they get."""
        references = self.query_one(PinnedReferences)
        room = self.query_one("#pictures").size
        many = 0 if self.alone else len(references.pinned)
        page = Page.largest(max(room.width - 1, 3), max(room.height, 3), many)
        references.display = many > 0
        references.fit(page.pinned, page.rows, page.width, page.height)
        frame = self.query_one("#frame")
        frame.styles.width = page.width
        self._room = page.width - 1
        self.query_one("#caption").styles.width = self._room
        self._show_caption()
        self.query_one("#picture").styles.max_width = page.width - 1
        self.query_one("#picture").styles.max_height = page.height - 1
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
