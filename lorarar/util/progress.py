"""Progress of long work, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

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

from lorarar.util.text import one_line


class Ticker:
    """Counts steps of one task and shows rate and time left; use it as a context manager."""

    LINE_SECONDS = 20.0  # between two lines where stderr is not a terminal

    def __init__(self, title: str, total: int, done: int = 0, *, show: bool = True) -> None:
        self.title, self.total, self.done, self.started_at = one_line(title), total, done, done
        self._start = self._last_line = time.monotonic()
        self._lines = show and not sys.stderr.isatty()
        self._smooth: float | None = None
        self._bar: Progress | None = None
        self._task = TaskID(0)
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
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def advance(self, steps: int = 1, *, loss: float | None = None) -> None:
        """Count ``steps`` as done and show it, with a smoothed loss where one is given."""
        self.done += steps
        if loss is not None:
            self._smooth = loss if self._smooth is None else 0.99 * self._smooth + 0.01 * loss
        note = "" if self._smooth is None else f"loss {self._smooth:.4f}"
        rate = (self.done - self.started_at) / max(time.monotonic() - self._start, 1e-9)
        if self._bar:
            self._bar.update(self._task, completed=self.done, note=f"{rate:.2f}/s {note}".rstrip())
        elif self._lines and self._line_is_due(steps):
            self._last_line = time.monotonic()
            left = (self.total - self.done) / rate
            text = f"{self.title} {self.done}/{self.total}, {rate:.2f}/s, {left:.0f} s left {note}"
            print(text.rstrip(), file=sys.stderr, flush=True)

    def _line_is_due(self, steps: int) -> bool:
        first, last = self.done - steps == self.started_at, self.done >= self.total
        return first or last or time.monotonic() - self._last_line > self.LINE_SECONDS
