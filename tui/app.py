"""The app: modes, one snapshot of a collection that all screens read, live updates.

Invariant: the thread that answers keys reads no file and no table; a worker reads the database and hands over a whole
new snapshot, others decode pictures. That thread asks the disk two things, each microseconds: once a second whether the
database has changed, and where a file lies (``PathResolver.find``, a few stat calls).
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.actions import ActionParseResult
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.screen import Screen
from textual.signal import Signal
from textual.widget import Widget

from lorarar.store.copies import FileState
from lorarar.store.queries import Collection
from lorarar.util.errors import LorarError
from tui.catalog import Catalog
from tui.context import AppContext
from tui.contrast import LegibleApp
from tui.drawing.client import DrawingClient, ProcessDrawingClient
from tui.first_read import FirstRead
from tui.modes import FIRST, MODES, TITLE, Mode
from tui.notices import notify_error
from tui.picture_mode import PictureMode
from tui.private_api import (
    check_style_sheet,
    failing_node,
    mark_styled,
    release_rendered_lines,
    take_covering_screens,
)
from tui.remembered_state import RememberedState
from tui.screens.browse import BrowseScreen
from tui.screens.fault import FaultScreen
from tui.snapshot import Snapshot
from tui.text import line, unmarked
from tui.thumbnails import Thumbnails
from tui.widgets.top_bar import TopBar

if TYPE_CHECKING:
    from judge.verdicts import Judge

POLL_SECONDS = 1.0
MASKED_SECONDS = 0.005
GIVING_WAY = 0.001  # seconds until a thread that counts gives way to one that answers a key; Python's own are 0.005
REST = 5.0  # a snapshot that took a second to read is not read again for five


class LorararApp(LegibleApp[str]):
    """Browses merges as pictures; returns the study to vote in, where the user asks for one."""

    TITLE = "lorarar"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    HELP_KEYS = (
        ("^p", "Command palette: themes, judges, methods, everything else"),
        ("arrows, hjkl, mouse", "Move"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "choose_collection", "Collection", show=False),
        Binding("J", "choose_judge", "Judge", show=False),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(
        self,
        database: Path,
        picture_mode: PictureMode,
        mode: str = "",
        drawing_client: DrawingClient | None = None,
        first_read: FirstRead | None = None,
    ) -> None:
        super().__init__()
        self.context = AppContext(
            catalog=Catalog(database),
            picture_mode=picture_mode,
            thumbnails=Thumbnails(),
            drawing_client=drawing_client or ProcessDrawingClient(database),
            state=RememberedState(database),
            snapshots=Signal(self, "snapshots"),
        )
        self.loading_snapshot = False
        self._first_mode, self._first_read = mode, first_read
        self._version: tuple[int, FileState] | None = None  # of the database when it was last read
        self._load_number = 0  # of the last read; what an earlier one brings comes too late
        self._next_load = 0.0
        self._frozen = False
        for one in MODES.values():
            self.add_mode(one.name, partial(self._open, one))
            self.bind(one.key, f"switch_mode('{one.name}')", description=line(one.title, TITLE), show=False)

    def on_mount(self) -> None:
        """Show the remembered mode, then read."""
        sys.setswitchinterval(GIVING_WAY)
        state = self.context.state
        if state.theme in self.available_themes:
            self.theme = state.theme
        if self._first_read is not None and (snapshot := self._first_read.take()) is not None:
            self.apply_snapshot(snapshot)
        mode = self._first_mode or state.text("mode")
        self.switch_mode(mode if mode in MODES else FIRST)
        self.screen.call_after_refresh(self.poll)  # counting verdicts would only keep the first paint waiting
        self.set_interval(POLL_SECONDS, self.poll)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """List the commands of the palette: Textual's own, modes, judges, and the screen's own."""
        yield from super().get_system_commands(screen)
        for name, mode in MODES.items():
            yield SystemCommand(
                f"Go to {name}", f"The {unmarked(mode.title, TITLE)} screen", partial(self.switch_mode, name)
            )
        yield SystemCommand(
            "Choose a collection", "A plan, a demo, blends, own pictures", self.action_choose_collection
        )
        yield SystemCommand("Choose a judge", "Whose verdicts are shown", self.action_choose_judge)
        for judge in self.context.snapshot.judges if self.context.snapshot else ():
            title = f"Judge {unmarked(judge.critic, 60)} ({unmarked(judge.prompts, 40)})"
            yield SystemCommand(title, "Show this judge's verdicts", partial(self.choose_judge, judge))
        if isinstance(screen, BrowseScreen):
            yield from screen.commands()

    def choose_judge(self, judge: Judge | None) -> None:
        """Show the verdicts of this judge from now on; None: of the one that the report takes."""
        self.context.judge = judge
        self._load()

    def choose_collection(self, collection: Collection | None) -> None:
        """Show this collection on all screens from now on; None leaves all as it is."""
        if collection is None or collection == self.context.collection:
            return
        self.context.choose(collection)
        self._load()

    def action_choose_collection(self) -> None:
        """Ask which collection to show."""
        from tui.screens.collection_chooser import CollectionChooser

        if not isinstance(self.screen, CollectionChooser):
            self.push_screen(CollectionChooser(self.context, self._column_of("collection")), self.choose_collection)

    def action_choose_judge(self) -> None:
        """Ask whose verdicts to show."""
        from tui.screens.judge_chooser import JudgeChooser, JudgePick

        def choose(choice: JudgePick | None) -> None:
            if choice is not None:
                self.choose_judge(choice.judge)

        if not isinstance(self.screen, JudgeChooser):
            self.push_screen(JudgeChooser(self.context, self._column_of("judge")), choose)

    def _column_of(self, menu: str) -> int:
        """Where a menu's word begins in the top line; 0 on a screen without one."""
        bars = self.screen.query(TopBar)
        return bars.first().column_of(menu) if bars else 0

    def delay_update(self, delay: float = MASKED_SECONDS) -> None:
        """Mask a change of modes for a shorter time than Textual's 50 ms, which are felt; ours are drawn in less."""
        super().delay_update(delay)

    def action_help(self) -> None:
        """Show what the screen is for and its keys."""
        from tui.widgets.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    async def action_quit(self) -> None:
        """Leave; what is remembered is saved on the way out."""
        self.exit()

    async def on_unmount(self) -> None:
        """Remember the mode and the theme; end the workers."""
        if self.current_mode in MODES:
            self.context.state.remember(mode=self.current_mode)
        self.context.state.theme = self.theme
        await self.context.close()

    def poll(self) -> None:
        """Read anew if another process has written since."""
        release_rendered_lines()
        try:
            version = self.context.catalog.changed()
        except LorarError as error:
            notify_error(self, error)
            return
        changed = version != self._version or self.context.snapshot is None
        if changed and not self.loading_snapshot and monotonic() >= self._next_load:
            self._version = version
            self._load()

    def apply_snapshot(self, snapshot: Snapshot) -> None:
        """Show a new snapshot on every screen that is there."""
        if self.is_running:  # else the app is leaving: screens are taken down one by one
            last = self.context.snapshot
            if last is not None and last.collection != snapshot.collection:
                self._uncover_modes()
            self.context.snapshot, self.context.collection = snapshot, snapshot.collection
            self.context.snapshots.publish(snapshot)

    def _uncover_modes(self) -> None:
        """Take away what lies over the first screens of all modes: it is of a collection that is not shown any more."""
        while len(self.screen_stack) > 1:
            self.pop_screen()
        for covering in take_covering_screens(self):
            covering.remove()

    def _open(self, mode: Mode) -> Screen[None]:
        """Open a mode's screen; one of another package that fails is a line in its place."""
        try:
            screen = mode.open(self.context)
            if mode.name not in MODES.own:
                check_style_sheet(self, screen)
        except Exception as error:  # another package's code may raise anything
            if mode.name in MODES.own:
                raise
            screen = FaultScreen(self.context, mode, error)
        mark_styled(self, screen)
        return screen

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run a key's action; where another package's screen raises in it, the app goes on."""
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except Exception as error:
            if not self._cover(self.screen, error):
                raise
            return True

    def _handle_exception(self, error: Exception) -> None:
        """Go on where another package's screen raised; what is ours ends the app."""
        node = failing_node()
        if not (isinstance(node, Widget) and node.is_attached and self._cover(node.screen, error)):
            super()._handle_exception(error)

    def _cover(self, screen: Screen[object], error: Exception) -> bool:
        """Lay a line over a screen of another package that raised; whether it is one."""
        mode = next((mode for mode in MODES.values() if screen in self._screen_stacks.get(mode.name, ())), None)
        if mode is None or mode.name in MODES.own or isinstance(screen, FaultScreen):
            return False
        if not any(isinstance(one, FaultScreen) for one in self._screen_stacks[mode.name]):  # the first is the cause
            self.notify(line(f"{mode.title}: {type(error).__name__}: {error}"), severity="error", markup=False)
            self.push_screen(FaultScreen(self.context, mode, error), mode=mode.name)
        return True

    def _load(self) -> None:
        """Read a new snapshot in a worker."""
        self.loading_snapshot = True
        self._load_number += 1
        self._read(self._load_number, self.context.collection, self.context.judge)

    @work(thread=True, group="load")
    def _read(self, number: int, collection: Collection | None, judge: Judge | None) -> None:
        """Send the app messages, not calls: it may leave while this reads, and neither waits for the other."""
        started, catalog, last = monotonic(), self.context.catalog, self.context.snapshot
        try:
            first = self._first_read.take_again() if self._first_read is not None else None
            snapshot = first if first and first.collection == collection else catalog.pictures_alone(collection)
            if last is None or last.collection != snapshot.collection:  # pictures are there before verdicts are counted
                self.call_later(self._show_read, snapshot, number)
            self.call_later(self._show_read, catalog.with_verdicts(snapshot, judge), number)
        except LorarError as error:
            notify_error(self, error)
        finally:
            self.call_later(self._finish_load, number, REST * (monotonic() - started))

    def _show_read(self, snapshot: Snapshot, number: int) -> None:
        """Show what was read, unless another collection or judge was chosen since."""
        if number == self._load_number:
            self.apply_snapshot(snapshot)

    def _finish_load(self, number: int, rest_seconds: float) -> None:
        """Allow the next read after a rest."""
        if number == self._load_number:
            self.loading_snapshot, self._next_load = False, monotonic() + rest_seconds
        if not self._frozen:  # a collector that walks all that is loaded holds a key up for 0.1 s
            self._frozen = True
            gc.freeze()
            gc.set_threshold(700, 10, 50)
