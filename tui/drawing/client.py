"""The app's end of the drawing process: the newest wish is drawn, older ones are dropped, also in the middle."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tui.drawing.request import Drawn, Said, Wish, reply

Tell = Callable[[Drawn | Said], None]


class Easel(Protocol):
    """What the Blend screen draws with."""

    async def start(self, tell: Tell) -> None:
        """Get ready; ``tell`` hears every reply."""

    def draw(self, wish: Wish) -> None:
        """Draw this as soon as what is being drawn is done."""

    def keep(self) -> None:
        """Keep what was drawn last."""

    async def close(self) -> None:
        """End."""


class ProcessEasel:
    """Draws in a process of its own, which is started when it is first needed."""

    def __init__(self, database: Path, out: Path = Path("out/blend")) -> None:
        self.database, self.out = database, out
        self._process: asyncio.subprocess.Process | None = None
        self._folder: Path | None = None
        self._listener: asyncio.Task[None] | None = None
        self._waiting: Wish | None = None  # the last wish, for a process that is not there yet
        self._died: Tell | None = None  # who is to hear the next process, once one has ended
        self._again: asyncio.Task[None] | None = None

    async def start(self, tell: Tell) -> None:
        """Start the process; it says its methods when it is ready."""
        self._folder = self._folder or Path(tempfile.mkdtemp(prefix="lorarar-blend-"))
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tui.drawing.worker",
            str(self._folder),
            str(self.database),
            str(self.out),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # the terminal is the app's
            env={"OMP_WAIT_POLICY": "passive", **os.environ},  # on a busy machine five times faster than spinning
        )
        self._listener = asyncio.create_task(self._listen(tell))
        if self._waiting is not None:
            self._write(self._waiting.line())

    def draw(self, wish: Wish) -> None:
        """The newest wish wins; where the process has ended, a new one is started for it."""
        self._waiting = wish
        if self._process is not None:
            self._write(wish.line())
        elif self._died is not None:
            tell, self._died = self._died, None
            self._again = asyncio.create_task(self.start(tell))

    def keep(self) -> None:
        """Keep what was drawn last."""
        self._write('{"do": "keep"}\n')

    async def close(self) -> None:
        """End the process and remove its pictures."""
        if self._listener is not None:
            self._listener.cancel()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _listen(self, tell: Tell) -> None:
        assert self._process is not None and self._process.stdout is not None
        async for line in self._process.stdout:
            tell(reply(line))
        code = await self._process.wait()
        self._process, self._died = None, tell
        tell(Said(error=f"the drawing process ended ({code}); the next change starts it again"))

    def _write(self, line: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(line.encode())
