"""Progress of long work, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import ClassVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from lorarar.util.messages import is_logged
from lorarar.util.text import one_line


class Ticker:
    """Counts steps of one task and shows rate and time left; use it as a context manager.

    With ``patience`` nothing is shown before so many seconds are over: work that is done by then needs no progress.
    """

    _bars: ClassVar[int] = 0  # on the terminal now
    LINE_SECONDS = 20.0  # between two lines where stderr is not a terminal

    def __init__(self, title: str, total: int, done: int = 0, *, show: bool = True, patience: float = 0.0) -> None:
        self.title, self.total, self.done, self.started_at = one_line(title), total, done, done
        self._start, self._patience = time.monotonic(), patience
        show = show and not is_logged()
        self._last_line: float | None = None
        self._lines = show and not sys.stderr.isatty()
        self._smooth: float | None = None
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._is_started = False
        if show and sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
                console=Console(stderr=True),
            )
            self._task = self._bar.add_task(self.title, total=total, completed=done, note="")

    def __enter__(self) -> Ticker:
        if self._bar and self._is_due:
            self._start_bar(self._bar)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar and self._is_started:
            self._bar.stop()
            Ticker._bars -= 1

    def advance(self, steps: int = 1, *, loss: float | None = None) -> None:
        """Count ``steps`` as done and show it, with a smoothed loss where one is given."""
        self.done += steps
        if loss is not None:
            self._smooth = loss if self._smooth is None else 0.99 * self._smooth + 0.01 * loss
        note = "" if self._smooth is None else f"loss {self._smooth:.4f}"
        rate = (self.done - self.started_at) / max(time.monotonic() - self._start, 1e-9)
        if self._bar:
            if self._is_due and not self._is_started:
                self._start_bar(self._bar)
            self._bar.update(self._task, completed=self.done, note=f"{rate:.2f}/s {note}".rstrip())
        elif self._lines and self._line_is_due():
            self._last_line = time.monotonic()
            left = (self.total - self.done) / rate
            text = f"{self.title} {self.done}/{self.total}, {rate:.2f}/s, {left:.0f} s left {note}"
            print(text.rstrip(), file=sys.stderr, flush=True)

    @property
    def _is_due(self) -> bool:
        """Whether it has taken so long that something is to be shown."""
        return time.monotonic() - self._start >= self._patience

    def _start_bar(self, bar: Progress) -> None:
        """Show the bar, but none of work that has patience within work that has a bar: two cannot share a terminal."""
        if self._patience and Ticker._bars:
            return
        bar.start()
        Ticker._bars += 1
        self._is_started = True

    def _line_is_due(self) -> bool:
        if not self._is_due:
            return False
        last = self._last_line
        return last is None or self.done >= self.total or time.monotonic() - last > self.LINE_SECONDS
