"""Merge: what made it, its files, and its coefficients as a map."""

from __future__ import annotations

import json
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import Resize
from textual.widgets import Static

from lorarar.util.errors import LorarError
from tui.catalog import Row
from tui.coefficients import Map, Side, map_of
from tui.screens.browse import BrowseScreen
from tui.text import home, line
from tui.widgets.heatmap import TITLES, Heatmap

NARROW = 110  # terminal columns up to which facts lie above the map


class MergeScreen(BrowseScreen):
    """One merge."""

    MODE = "matrix"
    HELP = (
        "Merge: files, hashes, options and versions that made it; below, the mean coefficient of every attention layer "
        "for the content (m_c), for the style (m_s), and their difference. Enter shows a layer's columns."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "back", "Back"),
        Binding("f", "facts", "Facts only", show=False),
    ]
    DEFAULT_CSS = """
    MergeScreen #both { height: 1fr; }
    MergeScreen #facts { width: 46; height: 1fr; padding: 0 1; background: $surface; }
    MergeScreen #facts > Static { height: auto; }
    MergeScreen #map { width: 1fr; height: 1fr; padding: 0 1; }
    MergeScreen #readout { height: 2; background: $boost; padding: 0 1; }
    MergeScreen.narrow #both { layout: vertical; }
    MergeScreen.narrow #facts { width: 1fr; height: 8; }
    """

    def __init__(self, merge: int) -> None:
        super().__init__()
        self.merge = merge

    def body(self) -> ComposeResult:
        """Facts and the map."""
        with Horizontal(id="both"):
            with VerticalScroll(id="facts"):
                yield Static("reading ...", id="words")
            with Vertical(id="map"):
                yield Heatmap()
                yield Static("", id="readout")

    def on_mount(self) -> None:
        """Read it."""
        super().on_mount()
        self.query_one(Heatmap).focus()
        self._read()

    def on_resize(self, event: Resize) -> None:
        """Facts beside the map, or above it."""
        self.set_class(event.size.width < NARROW, "narrow")

    def action_back(self) -> None:
        """To where one came from."""
        self.dismiss()

    def action_facts(self) -> None:
        """Hide the map, or show it again."""
        self.query_one("#map").display = not self.query_one("#map").display

    def on_heatmap_moved(self, event: Heatmap.Moved) -> None:
        """Say what the cursor is on."""
        layer = event.layer
        if layer is None:
            self.query_one("#readout", Static).update(
                Text("this method has no coefficients" if not self.query_one(Heatmap).map.rows else "no such layer")
            )
            return
        text = Text(line(layer.name.removeprefix("unet."), 200) + "\n", no_wrap=True, overflow="ellipsis")
        text.append(f"{TITLES[2]} {layer.difference:+.3f}   ", "bold" if event.which == 2 else "")
        for number, (name, side) in enumerate((("m_c", layer.content), ("m_s", layer.style))):
            text.append(f"{name} {_moments(side)}   ", "bold" if event.which == number else "")
        self.query_one("#readout", Static).update(text)

    def on_heatmap_chosen(self, event: Heatmap.Chosen) -> None:
        """The layer's columns."""
        from tui.screens.histogram import HistogramScreen

        self.app.push_screen(HistogramScreen(event.layer))

    def copied(self) -> str:
        """The merged file's path."""
        try:
            path = self.lorarar.catalog.merge(self.merge).get("adapter", {}).get("path", "")
        except LorarError as error:
            self.notify(line(error), severity="error", markup=False)
            return ""
        return str(self.lorarar.catalog.paths.find(path)) if path else ""

    @work(thread=True, exclusive=True, group="merge")
    def _read(self) -> None:
        try:
            row = self.lorarar.catalog.merge(self.merge)
            map_ = map_of(self.lorarar.catalog.coefficients(self.merge))
        except LorarError as error:
            self.call_later(self.notify, line(error), severity="error", markup=False)
            return
        there = {
            side: self.lorarar.catalog.paths.find(row[side]["path"]).exists()
            for side in ("adapter", "content", "style")
            if row.get(side)
        }
        self.call_later(self._show, facts(row, there), map_)

    def _show(self, words: Text, map_: Map) -> None:
        self.query_one("#words", Static).update(words)
        self.query_one(Heatmap).show(map_)


def facts(row: Row, there: dict[str, bool]) -> Text:
    """What made a merge; ``there`` says which files still are."""
    text = Text()
    if not row:
        return text.append("this merge is not in the database any more")
    text.append(f"{line(row['method'], 60)}", "bold").append(f"  on {line(row['base'], 80)} ")
    text.append(f"{line(row['base_revision'] or '', 40)}\n", "dim")
    for title, side in (("content", "content"), ("style", "style"), ("merged", "adapter")):
        one = row.get(side) or {}
        if not one:
            continue
        text.append(f"\n{title}\n", "bold")
        gone = "" if there.get(side) else "  not there any more"
        text.append(f"  {home(one['path']) if one['path'] else 'kept in memory only'}").append(f"{gone}\n", "yellow")
        text.append(
            f"  sha256 {line(one['sha256'], 24)}, ranks {line(one['ranks'], 30)}, {one['layers']} layers\n", "dim"
        )
    text.append("\noptions\n", "bold")
    for name, value in _options(row["options"]).items():
        text.append(f"  {line(name, 40)} ", "dim").append(f"{line(value, 70)}\n")
    text.append("\nmade\n", "bold")
    if row.get("discarded"):
        text.append("  energy discarded by the rank ", "dim").append(f"{100 * row['discarded']:.2f} %\n")
    text.append("  seconds ", "dim").append(f"{row['seconds']:.2f}\n")
    text.append("  version ", "dim").append(f"{line(row['version'], 30)}\n")
    return text.append("  on ", "dim").append(line(row["created"], 40))


def _options(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        found = text
    return found if isinstance(found, dict) else {"options": found}


def _moments(side: Side) -> str:
    return f"{side.mean:.3f} \N{PLUS-MINUS SIGN} {side.deviation:.3f} ({side.low:.2f} to {side.high:.2f})"
