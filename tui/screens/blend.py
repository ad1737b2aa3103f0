"""Blend: a content, a style, a method, two strengths; new pictures as the sliders move; kept on request."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, VerticalScroll
from textual.timer import Timer
from textual.widgets import Input, Select, Static

from lorarar.pictures.images import read_image
from lorarar.util.errors import ImageError, LorarError
from tui.drawing.request import PICTURES, STRONGEST, Drawn, Said, Wish
from tui.screens.browse import BrowseScreen
from tui.text import line
from tui.widgets.slider import Slider
from tui.widgets.tile import Tile

SETTLED = 0.35  # seconds without a change until pictures are drawn


class BlendScreen(BrowseScreen):
    """Try a merge by eye."""

    MODE = "blend"
    HELP = (
        "Blend: choose a content and a style LoRA and a method, move the strengths, and see the merge drawn in a "
        "process of its own. Where a method takes weights, strengths are its weights; else they scale what each side "
        "adds. r draws other seeds, w keeps the merge and its pictures in out/blend and in the database."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "reseed", "Other seeds"),
        Binding("w", "keep", "Keep"),
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
    BlendScreen #controls Input { margin: 0 0 1 0; }
    BlendScreen #said { height: auto; padding: 0 1; }
    BlendScreen #pictures { width: 1fr; height: 1fr; grid-size: 2 2; grid-gutter: 0 1; padding: 0 1; }
    BlendScreen #pictures Tile { width: 1fr; height: 1fr; margin: 0; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._number, self._seed, self._drawn = 0, 0, -1
        self._timer: Timer | None = None
        self._files: dict[str, dict[str, str]] = {"content": {}, "style": {}}

    def body(self) -> ComposeResult:
        """Controls on the left, pictures on the right."""
        with Horizontal(id="both"):
            with VerticalScroll(id="controls", can_focus=False):
                for side in ("content", "style"):
                    yield Static(side, classes="label")
                    yield Select[str]([], id=side, prompt=f"choose a {side}", compact=True)
                yield Static("method", classes="label")
                yield Select[str](
                    [("lorarar", "lorarar")], id="method", value="lorarar", allow_blank=False, compact=True
                )
                yield Slider("content strength", high=STRONGEST, id="content-strength")
                yield Slider("style strength", high=STRONGEST, id="style-strength")
                yield Static("prompt", classes="label")
                yield Input(placeholder="as both LoRAs say", id="prompt", compact=True)
                yield Static("", id="said")
            with Grid(id="pictures"):
                for _ in range(PICTURES):
                    yield Tile(self.lorarar.drawing)

    def on_mount(self) -> None:
        """Fill the lists; start the process that draws."""
        super().on_mount()
        place = self.lorarar.place
        try:
            self._files = known_loras(self.lorarar.catalog.adapters())
        except LorarError as error:
            self.notify(line(error), severity="error", markup=False)
        for side in ("content", "style"):
            select = self.query_one(f"#{side}", Select)
            select.set_options([(Text(line(name, 30)), path) for name, path in self._files[side].items()])
            wanted = self._files[side].get(place.text(side)) or next(iter(self._files[side].values()), None)
            if wanted is not None:
                select.value = wanted
        self._say(Text("starting the process that draws ...", "dim"))
        self.query_one("#content-strength").focus()
        self.run_worker(self.lorarar.easel.start(self._hear), group="easel")

    def on_select_changed(self, event: Select.Changed) -> None:
        """Something else is wished for."""
        self._wish_soon()

    def on_slider_moved(self, event: Slider.Moved) -> None:
        """Something else is wished for."""
        self._wish_soon()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Something else is wished for."""
        self._wish_soon()

    async def action_reseed(self) -> None:
        """Other seeds; if the process died, a new one."""
        self._seed += PICTURES
        self._wish_soon()

    def action_keep(self) -> None:
        """Keep what is on the screen."""
        if self._drawn != self._number:
            self.notify("wait until it is drawn")
        else:
            self._say(Text("keeping ...", "dim"))
            self.lorarar.easel.keep()

    def copied(self) -> str:
        """The command that makes the same merge."""
        wish = self._wish()
        if wish is None:
            return ""
        weights = "" if wish.strengths == (1.0, 1.0) else " --weights {:g},{:g}".format(*wish.strengths)
        return f"lorarar merge {wish.content} {wish.style} -o merged.safetensors --method {wish.method}{weights}"

    def _wish_soon(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(SETTLED, self._draw)

    def _wish(self) -> Wish | None:
        chosen = [self.query_one(f"#{name}", Select).value for name in ("content", "style", "method")]
        if not all(isinstance(value, str) for value in chosen):
            return None
        content, style, method = map(str, chosen)
        strengths = [self.query_one(f"#{side}-strength", Slider).value for side in ("content", "style")]
        prompt = self.query_one("#prompt", Input).value
        return Wish(content, style, method, (strengths[0], strengths[1]), self._seed, PICTURES, prompt)

    def _draw(self) -> None:
        wish = self._wish()
        if wish is not None:
            self._number += 1
            self._say(Text("merging and drawing ...", "dim"))
            from dataclasses import replace

            self.lorarar.easel.draw(replace(wish, number=self._number))

    def _hear(self, said: Drawn | Said) -> None:
        """A reply of the process."""
        if not self.is_attached:
            return
        if isinstance(said, Drawn):
            if said.number == self._number:
                self._show(said)
        elif said.methods:
            method = self.query_one("#method", Select)
            kept = method.value
            method.set_options([(name, name) for name in said.methods])
            method.value = kept if kept in said.methods else said.methods[0]
            self._wish_soon()
        elif said.steps:
            self._say(Text(f"drawing, step {said.steps[0]} of {said.steps[1]}", "dim"))
        elif said.kept:
            self._say(Text(f"kept as {line(said.kept)}", "green"))
        elif said.error:
            self._say(Text(line(said.error), "red"))

    def _show(self, drawn: Drawn) -> None:
        self._drawn = drawn.number
        for tile, path, seed in zip(self.query("#pictures Tile").results(Tile), drawn.paths, drawn.seeds, strict=False):
            try:
                tile.put(f"{drawn.number}-{seed}", read_image(path), f"seed {seed}")
            except ImageError as error:
                self._say(Text(line(error), "red"))
        text = Text(f"{line(drawn.prompt, 200)}\n")
        text.append(f"merged in {1000 * drawn.merge_seconds:.0f} ms, drawn in {drawn.draw_seconds:.1f} s", "dim")
        self._say(text)

    def _say(self, text: Text) -> None:
        self.query_one("#said", Static).update(text)


def known_loras(adapters: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    """Files of contents and styles by name: those of the database that are still there, and Pocket's own."""
    from lorarar.families import find_base

    pocket = find_base("pocket")
    found: dict[str, dict[str, str]] = {"content": {}, "style": {}}
    for adapter in adapters:
        path = Path(adapter["path"])
        if "\0" not in adapter["path"] and path.exists():
            found[adapter["kind"]][path.stem] = str(path.absolute())
    for side, folder in (("content", pocket.contents), ("style", pocket.styles)):
        for path in sorted(folder.glob("*.safetensors")) if folder else ():
            found[side].setdefault(path.stem, str(path))
    return {side: dict(sorted(files.items())) for side, files in found.items()}
