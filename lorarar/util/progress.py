"""Progress of long work, on stderr: a bar on a terminal, a line now and then elsewhere.

What comes before the first step is done (models load, caches warm up) says nothing of the others, so rates and times
left are of what came after it: until there is that, none is said.
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta
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
)

from lorarar.util.messages import is_silent
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
        show = show and not is_silent()
        self._first: tuple[float, int] | None = None  # when the first steps were done, and how many then were
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
                TextColumn("{task.fields[left]}"),
                TextColumn("{task.fields[note]}"),
                console=Console(stderr=True),
            )
            self._task = self._bar.add_task(self.title, total=total, completed=done, left="-:--:--", note="")

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
        rate = self._rate()
        pace = f"{rate:.2f}/s" if rate else ""
        if self._bar:
            if self._is_due and not self._is_started:
                self._start_bar(self._bar)
            left = f"{timedelta(seconds=round((self.total - self.done) / rate))}" if rate else "-:--:--"
            self._bar.update(self._task, completed=self.done, left=left, note=f"{pace} {note}".strip())
        elif self._lines and self._line_is_due():
            self._last_line = time.monotonic()
            left = f"{(self.total - self.done) / rate:.0f} s left" if rate else ""
            parts = ", ".join(part for part in (f"{self.title} {self.done}/{self.total}", pace, left) if part)
            print(f"{parts} {note}".rstrip(), file=sys.stderr, flush=True)

    def _rate(self) -> float | None:
        """Steps a second since the first was done; None until there are more."""
        now = time.monotonic()
        if self._first is None:
            self._first = now, self.done
        since, before = self._first
        return (self.done - before) / max(now - since, 1e-9) if self.done > before else None

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
