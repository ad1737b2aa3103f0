"""Merge: what made it, its files, and its coefficients as a map."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import Resize
from textual.widgets import Static

from lorarar.util.files import is_there
from lorarar.util.formatting import count
from tui.catalog import Row
from tui.context import AppContext
from tui.screens.browse import BrowseScreen
from tui.text import home, line
from tui.views.coefficients import CoefficientMap, CoefficientSummary, coefficient_map
from tui.widgets.heatmap import TITLES, Heatmap

NARROW = 110  # terminal columns up to which facts lie above the map
RESULT = "adapter"  # of a merge's adapters the merged one


class MergeScreen(BrowseScreen):
    """Shows one merge."""

    HELP = (
        "Merge: files, digests, options and versions that made it; below, the mean coefficient of every attention "
        "layer for the content (m_c), for the style (m_s), and their difference. Enter shows how a layer's are spread."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace", "escape", "Back"),
        Binding("f", "facts", "Facts only", show=False),
    ]
    DEFAULT_CSS = """
    MergeScreen #both { height: 1fr; }
    MergeScreen #facts { width: 46; height: 1fr; padding: 0 1; background: $surface; }
    MergeScreen #facts > Static { height: auto; }
    MergeScreen #map { width: 1fr; height: 1fr; padding: 0 1; }
    MergeScreen #readout { height: auto; min-height: 2; max-height: 4; background: $boost; padding: 0 1; }
    MergeScreen.narrow #both { layout: vertical; }
    MergeScreen.narrow #facts { width: 1fr; height: 8; }
    """

    def __init__(self, context: AppContext, merge: int) -> None:
        super().__init__(context)
        self.merge = merge
        self._file = ""  # of the merged LoRA

    def body(self) -> ComposeResult:
        """Facts and the map."""
        with Horizontal(id="both"):
            with VerticalScroll(id="facts"):
                yield Static("reading ...", id="words")
            with Vertical(id="map"):
                yield Heatmap()
                yield Static("", id="readout")

    def on_mount(self) -> None:
        """Read what made the merge."""
        super().on_mount()
        self.query_one(Heatmap).focus()
        self.read(self._read_merge, self._show, group="merge")

    def on_resize(self, event: Resize) -> None:
        """Lay the facts beside the map, or above it."""
        self.set_class(event.size.width < NARROW, "narrow")

    def action_back(self) -> None:
        """Go back to the matrix or the gallery."""
        self.dismiss()

    def action_facts(self) -> None:
        """Hide the map, or show it again."""
        self.query_one("#map").display = not self.query_one("#map").display

    def on_heatmap_moved(self, event: Heatmap.Moved) -> None:
        """Say which layer the cursor is on, and what its coefficients are."""
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
        """Show the layer's columns."""
        from tui.screens.histogram import HistogramScreen

        self.app.push_screen(HistogramScreen(event.layer))

    def text_to_copy(self) -> str:
        """The merged file's path."""
        return self._file

    def _read_merge(self) -> tuple[Text, CoefficientMap, str]:
        """What made the merge in words, its coefficients, and its file; empty where it is in memory only."""
        catalog = self.context.catalog
        row = catalog.merge(self.merge)
        files = {name: catalog.paths.find(path) for name in adapters_of(row) if (path := row[name].get("path"))}
        missing = {name for name, file in files.items() if not is_there(file)}
        return (
            facts(row, missing),
            coefficient_map(catalog.coefficients(self.merge), row.get("axis", "column")),
            str(files.get(RESULT, "")),
        )

    def _show(self, merge: tuple[Text, CoefficientMap, str]) -> None:
        words, coefficients, self._file = merge
        self.query_one("#words", Static).update(words)
        self.query_one(Heatmap).show(coefficients)


def adapters_of(row: Row) -> list[str]:
    """The keys of a merge's adapters: of its LoRAs in their order, then of the result."""
    more = [name for name in row if name.startswith("LoRA ")]
    return [name for name in ("content", "style", *more, RESULT) if row.get(name)]


def facts(row: Row, missing: Collection[str]) -> Text:
    """What made a merge, in words.

    Args:
        row: The merge with its adapters; empty where it is gone.
        missing: The adapters whose files are gone.
    """
    text = Text()
    if not row:
        return text.append("this merge is not in the database any more")
    text.append(f"{line(row['method'], 60)}", "bold").append(f"  on {line(row['base'], 80)} ")
    text.append(f"{line(row['base_revision'] or '', 40)}\n", "dim")
    for name in adapters_of(row):
        text.append(f"\n{'merged' if name == RESULT else name}\n", "bold")
        text.append_text(_adapter(row[name], missing=name in missing))
    text.append("\noptions\n", "bold")
    for name, value in _options(row["options"]).items():
        text.append(f"  {line(name, 40)} ", "dim").append(f"{line(value, 70)}\n")
    text.append("\nmade\n", "bold")
    if row.get("discarded"):
        text.append("  energy discarded by the rank ", "dim").append(f"{100 * row['discarded']:.2f} %\n")
    text.append("  seconds ", "dim").append(f"{row['seconds']:.2f}\n")
    text.append("  version ", "dim").append(f"{line(row['version'], 30)}\n")
    return text.append("  on ", "dim").append(line(row["created"], 40))


def _adapter(adapter: Row, *, missing: bool) -> Text:
    text = Text(f"  {home(adapter['path']) if adapter['path'] else 'kept in memory only'}")
    text.append("  not there any more\n" if missing else "\n", "yellow")
    ranks = line(adapter["ranks"], 30).strip("[]")
    numbers = f"{count(adapter['layers'], 'layer')}{f' of rank {ranks}' if ranks else ''}"
    return text.append(f"  sha256 {line(adapter['sha256'], 24)}, {numbers}\n", "dim")


def _options(text: str) -> dict[str, object]:
    try:
        options = json.loads(text)
    except ValueError:
        options = text
    return options if isinstance(options, dict) else {"options": options}


def _moments(side: CoefficientSummary) -> str:
    return f"{side.mean:.3f} \N{PLUS-MINUS SIGN} {side.deviation:.3f} ({side.low:.2f} to {side.high:.2f})"
