"""Blend: a content, a style, a method and two strengths give new pictures as the sliders move; w keeps them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from PIL import Image
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, VerticalScroll
from textual.events import Resize, ScreenResume
from textual.timer import Timer
from textual.widgets import Input, Select, Static

from lorarar.families import DEFAULT_BASE
from lorarar.pictures.images import read_image
from lorarar.store.queries import Collection, PictureRow
from lorarar.util.errors import AdapterError, ImageError
from tui.context import AppContext
from tui.drawing.request import PICTURES, STRONGEST, DrawRequest, DrawResult, WorkerReply
from tui.screens.browse import BrowseScreen
from tui.snapshot import Snapshot
from tui.text import line
from tui.views.lora_files import KINDS, bases_of, lora_files, pinned_of
from tui.widgets.pinned_references import PinnedReferences
from tui.widgets.slider import Slider
from tui.widgets.tile import Tile

CONTROLS = 36  # terminal columns
SETTLED = 0.35  # seconds without a change until pictures are drawn


class BlendScreen(BrowseScreen):
    """Merges two LoRAs as the user moves two strengths, and shows pictures of each merge."""

    HELP = (
        "Blend: choose a content and a style LoRA, a method and a base, move the strengths, and see the merge drawn "
        "in a process of its own. Where a method takes weights, strengths are its weights; else they scale what each "
        "side adds. Beside the pictures, as large, are pictures that both LoRAs were trained on; e shows others. "
        "LoRAs of any folder are offered once its path is typed. r draws other seeds, w keeps the merge and its "
        "pictures in out/blend and in the database, as a blend with its strengths in its name, so that it counts as "
        "no method's."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "reseed", "Other seeds"),
        Binding("w", "keep", "Keep"),
        Binding("e", "references", "References"),
        Binding("f", "folder", "LoRAs from a folder"),
        Binding("escape", "app.switch_mode('matrix')", "Back", show=False),
        Binding("tab", "app.focus_next", "Next field", show=False),
    ]
    DEFAULT_CSS = """
    BlendScreen #both { height: 1fr; }
    BlendScreen #controls { width: 36; height: 1fr; padding: 0 1; background: $surface; }
    BlendScreen #controls Select { height: 1; margin: 0 0 1 0; }
    BlendScreen #controls SelectCurrent { border: none; height: 1; padding: 0 1; }
    BlendScreen #controls .label { height: 1; color: $text-muted; padding: 0 1; }
    BlendScreen #controls Slider { margin: 0 0 1 0; }
    BlendScreen #controls Input { margin: 0 0 1 0; padding: 0 1; }
    BlendScreen #status { dock: bottom; height: auto; max-height: 5; padding: 0 1; background: $surface; }
    BlendScreen #pictures { width: 1fr; height: 1fr; grid-size: 2 2; grid-gutter: 0 1; padding: 0; }
    BlendScreen #pictures Tile { width: 1fr; height: 1fr; margin: 0; }
    """

    def __init__(self, context: AppContext) -> None:
        super().__init__(context)
        self._seed = 0
        self._last_request, self._last_result = 0, -1  # numbers
        self._timer: Timer | None = None
        self._weighted: tuple[str, ...] = ()  # the methods that take weights
        self._files: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}  # to choose from
        self._collection: Collection | None = None  # whose LoRAs these are
        self._bases_of: Collection | None = None  # whose bases are offered first
        self._folder = context.state.text("lora folder")  # of more LoRAs to choose from
        self._cell: dict[str, str] = {}  # of the matrix, when its LoRAs were chosen last

    def body(self) -> ComposeResult:
        """Controls on the left, pictures on the right."""
        with Horizontal(id="both"):
            with VerticalScroll(id="controls", can_focus=False):
                for kind in KINDS:
                    yield Static(kind, classes="label")
                    yield Select[str]([], id=kind, prompt=f"choose a {kind}", compact=True)
                yield Static("method", classes="label")
                yield Select[str](
                    [("lorarar", "lorarar")], id="method", value="lorarar", allow_blank=False, compact=True
                )
                yield Slider("content strength", high=STRONGEST, id="content-strength")
                yield Slider("style strength", high=STRONGEST, id="style-strength")
                yield Static("prompt", classes="label")
                yield Input(placeholder="as both LoRAs say", id="prompt", compact=True)
                yield Static("base that draws", classes="label")
                yield Select[str](
                    [(DEFAULT_BASE, DEFAULT_BASE)], id="base", value=DEFAULT_BASE, allow_blank=False, compact=True
                )
                yield Static("LoRAs from a folder (Enter)", classes="label")
                yield Input(self._folder, placeholder="~/loras", id="folder", compact=True)
                yield Static("", id="status")
            yield PinnedReferences(self.context)
            with Grid(id="pictures"):
                for _ in range(PICTURES):
                    yield Tile(self.context)

    def on_mount(self) -> None:
        """Read which LoRAs there are; start the process that draws."""
        super().on_mount()
        if not self._collection:  # else they are on their way
            self._read_files()
        self._say(Text("starting the process that draws ...", "dim"))
        self.query_one("#content-strength").focus()
        self.run_worker(self.context.drawing_client.start(self._receive), group="drawing")

    def on_resize(self, event: Resize) -> None:
        """Give references and pictures the same room, two above two."""
        self.call_after_refresh(self._lay_out)

    def _lay_out(self) -> None:
        room = self.query_one("#both").size
        width = max((room.width - CONTROLS - 1) // 3, 2)
        height = max(min(room.height // 2, (width - 1) // 2 + 1), 2)  # as Page has it: a cell is twice as high as wide
        self.query_one(PinnedReferences).fit(1, 2, width, height)
        styles = self.query_one("#pictures", Grid).styles
        styles.grid_rows, styles.grid_columns = f"{height}", f"{width - 1}"

    def update(self, snapshot: Snapshot) -> None:
        """Offer the LoRAs of the collection on show."""
        if snapshot.collection != self._collection:
            self._collection = snapshot.collection
            self._read_files()

    def on_screen_resume(self, event: ScreenResume) -> None:
        """Follow the matrix."""
        super().on_screen_resume(event)
        self._follow_cell()

    def _follow_cell(self) -> None:
        """Choose the LoRAs of the matrix's cell, if it is another one than before."""
        cell = {kind: self.context.state.text(kind) for kind in KINDS}
        if cell != self._cell and all(cell[kind] in self._files[kind] for kind in KINDS):
            self._cell = cell
            for kind in KINDS:
                self.query_one(f"#{kind}", Select).value = self._files[kind][cell[kind]]

    def on_select_changed(self, event: Select.Changed) -> None:
        """Draw what is chosen now, beside what its LoRAs were trained on."""
        self._draw_soon()
        if (request := self._request()) is not None:
            self.query_one(PinnedReferences).read_soon(partial(pinned_of, Path(request.content), Path(request.style)))

    def on_slider_moved(self, event: Slider.Moved) -> None:
        """Draw what is chosen now."""
        self._draw_soon()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Draw what is chosen now."""
        if event.input.id == "prompt":
            self._draw_soon()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Offer the LoRAs of a folder."""
        if event.input.id == "folder":
            self._folder = event.value.strip()
            self._read_files()

    def action_folder(self) -> None:
        """Go to the field of the folder."""
        self.query_one("#folder").focus()

    def action_references(self) -> None:
        """Show other references, where not all have room."""
        self.query_one(PinnedReferences).turn(1)

    def action_reseed(self) -> None:
        """Draw other seeds; if the process died, in a new one."""
        self._seed += PICTURES
        self._draw_soon()

    def action_keep(self) -> None:
        """Keep the merge whose pictures are on the screen."""
        if self._last_result != self._last_request:
            self.notify("wait until it is drawn")
        else:
            self._say(Text("keeping ...", "dim"))
            self.context.drawing_client.keep()

    def text_to_copy(self) -> str:
        """The command that makes the same merge."""
        request = self._request()
        return "" if request is None else merge_command(request, self._weighted)

    def _read_files(self) -> None:
        """Read which LoRAs there are; where the folder has none, say so and offer the others."""
        snapshot = self.context.snapshot
        pictures: Sequence[PictureRow] = snapshot.pictures if snapshot else ()
        find, folder = self.context.catalog.paths.find, self._folder

        def work() -> tuple[list[str], dict[str, dict[str, str]], str]:
            bases = bases_of(pictures)
            try:
                return bases, lora_files(pictures, find, Path(folder) if folder else None), ""
            except AdapterError as error:
                return bases, lora_files(pictures, find), str(error)

        def show(result: tuple[list[str], dict[str, dict[str, str]], str]) -> None:
            bases, files, error = result
            self._show_bases(bases)
            self._show_files(files)
            if error:
                self._say(Text(line(error), "red"))
            elif folder != self.context.state.text("lora folder"):
                self.context.state.remember(**{"lora folder": folder})
                self.notify("its LoRAs are in both lists, after the others" if folder else "no folder any more")

        self.read(work, show, group="loras")

    def _show_files(self, files: dict[str, dict[str, str]]) -> None:
        """Fill the lists of LoRAs; what was chosen stays, else it is the matrix's cell, else the first."""
        self._files = files
        for kind in KINDS:
            select = self.query_one(f"#{kind}", Select)
            chosen, paths = select.value, files[kind]
            select.set_options([(Text(line(name, 30)), path) for name, path in paths.items()])
            if chosen in paths.values():
                select.value = chosen
            elif paths:
                select.value = paths.get(self.context.state.text(kind)) or next(iter(paths.values()))
        self._follow_cell()

    def _show_bases(self, bases: Sequence[str]) -> None:
        """Fill the list of bases; the first is that of the pictures on show, which is chosen for each collection."""
        select = self.query_one("#base", Select)
        chosen = select.value if self._bases_of == self._collection else bases[0]
        self._bases_of = self._collection
        select.set_options([(Text(line(name, 30)), name) for name in bases])
        select.value = chosen if chosen in bases else bases[0]

    def _request(self) -> DrawRequest | None:
        """What is chosen now; None where a LoRA is missing."""
        choices = [self.query_one(f"#{name}", Select).value for name in (*KINDS, "method", "base")]
        if not all(isinstance(choice, str) for choice in choices):
            return None
        content, style, method, base = map(str, choices)
        content_strength, style_strength = (self.query_one(f"#{kind}-strength", Slider).value for kind in KINDS)
        return DrawRequest(
            content=content,
            style=style,
            method=method,
            strengths=(content_strength, style_strength),
            seed=self._seed,
            pictures=PICTURES,
            prompt=self.query_one("#prompt", Input).value,
            base=base,
        )

    def _draw_soon(self) -> None:
        """Draw once nothing has changed for a while."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SETTLED, self._draw)

    def _draw(self) -> None:
        request = self._request()
        if request is not None:
            self._last_request += 1
            self._say(Text("merging and drawing ...", "dim"))
            self.context.drawing_client.draw(replace(request, number=self._last_request))

    def _receive(self, reply: WorkerReply) -> None:
        """Show a reply of the process."""
        if not self.is_attached:
            return
        if isinstance(reply, DrawResult):
            if reply.number == self._last_request:
                self._show(reply)
        elif reply.methods:
            self._weighted = reply.weighted
            self._show_methods(reply.methods)
        elif reply.steps:
            self._say(Text(f"drawing, step {reply.steps[0]} of {reply.steps[1]}", "dim"))
        elif reply.kept:
            self._say(Text(f"kept as {line(reply.kept)}", "green"))
        elif reply.error:
            self._say(Text(line(reply.error), "red"))

    def _show_methods(self, methods: tuple[str, ...]) -> None:
        """Fill the list of methods, and draw."""
        select = self.query_one("#method", Select)
        method = select.value
        select.set_options([(name, name) for name in methods])
        select.value = method if method in methods else methods[0]
        self._draw_soon()

    def _show(self, result: DrawResult) -> None:
        """Read a result's pictures, and show them once they are there."""
        self.read(partial(read_pictures, result), partial(self._show_pictures, result), group="pictures")

    def _show_pictures(self, result: DrawResult, pictures: Sequence[Image.Image | None]) -> None:
        """Show a result, unless a newer one has been requested meanwhile."""
        if result.number != self._last_request:
            return
        self._last_result = result.number
        tiles = self.query("#pictures Tile").results(Tile)
        for tile, picture, seed in zip(tiles, pictures, result.seeds, strict=False):
            if picture is not None:
                tile.put(f"{result.number}-{seed}", picture, f"seed {seed}")
        text = Text(f"{line(result.prompt, 200)}\n")
        took = f"merged in {1000 * result.merge_seconds:.0f} ms, drawn in {result.draw_seconds:.1f} s"
        text.append(f"{took} on {line(result.base, 40)}", "dim")
        self._say(text)

    def _say(self, text: Text) -> None:
        self.query_one("#status", Static).update(text)


def merge_command(request: DrawRequest, weighted: Sequence[str]) -> str:
    """The command that merges as a request does.

    Args:
        request: what is drawn.
        weighted: the methods that take weights; of the others each side of the result is scaled.
    """
    words = ["lorarar", "merge", request.content, request.style, "-o", "merged.safetensors", "--method", request.method]
    if request.base != DEFAULT_BASE:
        words += ["--base", request.base]
    if request.strengths != (1.0, 1.0):
        words += ["--weights" if request.method in weighted else "--strengths", "{:g},{:g}".format(*request.strengths)]
    return shlex.join(words)


def read_pictures(result: DrawResult) -> list[Image.Image | None]:
    """Read a result's pictures; None for one that cannot be read."""
    pictures: list[Image.Image | None] = []
    for path in result.paths:
        try:
            pictures.append(read_image(Path(path)))
        except ImageError:
            pictures.append(None)
    return pictures
