"""The app: modes, one snapshot of the database that all screens read, live updates.

Invariant: nothing here waits for the disk on the thread that answers keys; a worker reads the database and hands
over a whole new snapshot. The database is only looked at once a second, by a number that SQLite keeps in memory.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from time import monotonic
from typing import ClassVar

from textual import work
from textual._styles_cache import StylesCache
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from judge.verdicts import Judge
from lorarar.util.errors import LorarError
from tui.catalog import Catalog
from tui.drawing.client import Easel, ProcessEasel
from tui.image_mode import Drawing
from tui.remembered_state import Place
from tui.screens.matrix import MatrixScreen
from tui.snapshot import Snapshot
from tui.text import count, home, line, unmarked
from tui.thumbs import Thumbs

LOOK_SECONDS = 1.0
MASKED = 0.005  # seconds
SHARE = 5.0  # a snapshot that took a second to read is not read again for five


class LorararApp(App[None]):
    """Browse merges as pictures."""

    TITLE = "lorarar"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "switch_mode('matrix')", "Matrix", show=False),
        Binding("2", "switch_mode('scores')", "Scores", show=False),
        Binding("3", "switch_mode('blend')", "Blend", show=False),
        Binding("4", "switch_mode('study')", "Study", show=False),
        Binding("5", "switch_mode('agreement')", "Agreement", show=False),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(self, database: Path, drawing: Drawing, mode: str = "", easel: Easel | None = None) -> None:
        super().__init__()
        self.catalog = Catalog(database)
        self.drawing = drawing
        self.place = Place(database)
        self.thumbs = Thumbs()
        self.easel: Easel = easel or ProcessEasel(database)
        self.snapshot: Snapshot | None = None
        self.judge: Judge | None = None  # chosen; None: the one asked last
        self.vote = ""  # a study to vote in after leaving
        self._first = mode
        self._seen = -1
        self._loading = False
        self._next_load = 0.0
        self._frozen = False
        modes: dict[str, Callable[[], Screen[None]]] = {
            "matrix": MatrixScreen,
            "scores": partial(_screen, "scores", "ScoresScreen"),
            "blend": partial(_screen, "blend", "BlendScreen"),
            "study": partial(_screen, "study", "StudyScreen"),
            "agreement": partial(_screen, "agreement", "AgreementScreen"),
        }
        for name, factory in modes.items():
            self.add_mode(name, factory)

    def on_mount(self) -> None:
        """Show where we were, then read."""
        if self.place.theme in self.available_themes:
            self.theme = self.place.theme
        known = self._first or self.place.text("mode", "matrix")
        self.switch_mode(known if known in self._modes else "matrix")
        self._look()
        self.set_interval(LOOK_SECONDS, self._look)

    def facts(self) -> str:
        """The right end of the top line."""
        found = self.snapshot
        parts = [home(self.catalog.path)]
        if found is not None:
            parts.append(count(len(found.shots), "picture"))
            if found.judge:
                parts.append(f"judge {line(found.judge.critic, 30)}")
        parts.append({"half": "half cells", "none": "no pictures"}.get(self.drawing.name, self.drawing.name))
        return "  ".join(parts)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The command palette: Textual's own commands, ours, and the judges."""
        yield from super().get_system_commands(screen)
        for name in self._modes:
            if name != "_default":
                yield SystemCommand(f"Go to {name}", f"The {name} screen", partial(self.switch_mode, name))
        for judge in self.snapshot.judges if self.snapshot else ():
            title = f"Judge {unmarked(judge.critic, 60)} ({unmarked(judge.prompts, 40)})"
            yield SystemCommand(title, "Show this judge's verdicts", partial(self.choose_judge, judge))
        if (ours := getattr(screen, "commands", None)) is not None:
            yield from ours()

    def choose_judge(self, judge: Judge) -> None:
        """Show the verdicts of this judge from now on."""
        self.judge = judge
        self._load()

    def delay_update(self, delay: float = MASKED) -> None:
        """Textual masks a change of modes for 50 ms, which are felt; ours are drawn in less."""
        super().delay_update(delay)

    def action_help(self) -> None:
        """Keys and what the screen is for."""
        from tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def copy(self, text: str) -> None:
        """Put a text on the clipboard and say so."""
        self.copy_to_clipboard(line(text))
        self.notify(line(text, 120), title="Copied", timeout=2, markup=False)

    def remember(self, **facts: str | int | bool) -> None:
        """Remember where we are, for the next start."""
        self.place.facts |= facts

    async def action_quit(self) -> None:
        """Leave, remembering the place."""
        self.exit()

    async def on_unmount(self) -> None:
        """Keep the place; end the workers."""
        if self.current_mode in ("matrix", "scores", "blend", "study", "agreement"):
            self.remember(mode=self.current_mode)
        self.place.theme = self.theme
        self.place.save()
        self.thumbs.close()
        await self.easel.close()
        self.catalog.close()

    def _look(self) -> None:
        """Read anew if another process has written since."""
        StylesCache.get_inner_outer.cache_clear()  # it is by widget, and keeps all lines of a thousand that are gone
        try:
            version = self.catalog.changed()
        except LorarError as error:
            self.notify(line(error), severity="error", markup=False)
            return
        if (version != self._seen or self.snapshot is None) and not self._loading and monotonic() >= self._next_load:
            self._seen = version
            self._load()

    def _load(self) -> None:
        """Read anew, in a worker; until it is done nothing else is read."""
        self._loading = True
        self._read()

    @work(thread=True, group="load")
    def _read(self) -> None:
        """Messages to the app, not calls: the app may leave while this reads, and nobody waits for anybody."""
        started = monotonic()
        try:
            shots = self.catalog.shots()
            if self.snapshot is None:  # pictures are on the screen before verdicts are counted
                self.call_later(self._take, Snapshot(shots))
            self.call_later(self._take, self.catalog.snapshot(self.judge, shots))
        except LorarError as error:
            self.call_later(self.notify, line(error), severity="error", markup=False)
        finally:
            self.call_later(self._rest, SHARE * (monotonic() - started))

    def _rest(self, seconds: float) -> None:
        """Nothing is being read; nothing is to be for some seconds."""
        self._loading, self._next_load = False, monotonic() + seconds
        if not self._frozen:  # a collector that walks all that is loaded holds a key up for 0.1 s
            self._frozen = True
            gc.freeze()
            gc.set_threshold(700, 10, 50)

    def _take(self, snapshot: Snapshot) -> None:
        """Show a new snapshot on every screen that is there."""
        if not self.is_running:  # leaving: screens are taken down one by one
            return
        self.snapshot = snapshot
        for screen in self.screen_stack_of_all_modes():
            if (take := getattr(screen, "take", None)) is not None:
                take(snapshot)

    def screen_stack_of_all_modes(self) -> list[Screen[object]]:
        """Every screen that was opened."""
        return [screen for stack in self._screen_stacks.values() for screen in stack]


def _screen(module: str, name: str) -> Screen[None]:
    """A screen whose module loads when it is first shown."""
    from importlib import import_module

    screen: Screen[None] = getattr(import_module(f"tui.screens.{module}"), name)()
    return screen
