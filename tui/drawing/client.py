"""The app's end of the drawing process: the newest request is drawn, older ones are dropped, also in the middle."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tui.drawing.request import DrawRequest, WorkerReply

    Receive = Callable[[WorkerReply], None]  # called with every reply


class DrawingClient(Protocol):
    """Draws merges for the Blend screen."""

    async def start(self, receive: Receive) -> None:
        """Get ready to draw; replies go to ``receive``."""

    def draw(self, request: DrawRequest) -> None:
        """Draw a merge, instead of whatever is being drawn."""

    def keep(self) -> None:
        """Keep the merge that was drawn last."""

    async def close(self) -> None:
        """Stop drawing and free what was needed for it."""


class ProcessDrawingClient:
    """Draws in a process of its own, which is started when it is first needed."""

    def __init__(self, database: Path, out: Path = Path("out/blend")) -> None:
        self.database, self.out = database, out
        self.process: asyncio.subprocess.Process | None = None
        self.folder: Path | None = None  # of the pictures, while the process runs
        self._listener: asyncio.Task[None] | None = None
        self._last_request: DrawRequest | None = None  # for a process that is not there yet
        self._receive: Receive | None = None  # the receiver of a process that has ended, for the next one
        self._restart: asyncio.Task[None] | None = None

    async def start(self, receive: Receive) -> None:
        """Start the process; it says its methods when it is ready."""
        self.folder = self.folder or Path(tempfile.mkdtemp(prefix="lorarar-blend-"))
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tui.drawing.worker",
            str(self.folder),
            str(self.database),
            str(self.out),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # the terminal is the app's
            env={"OMP_WAIT_POLICY": "passive", **os.environ},  # on a busy machine five times faster than spinning
        )
        self._listener = asyncio.create_task(self._listen(receive))
        if self._last_request is not None:
            self._write(self._last_request.to_line())

    def draw(self, request: DrawRequest) -> None:
        """Send a request; where the process has ended, start a new one for it."""
        self._last_request = request
        if self.process is not None:
            self._write(request.to_line())
        elif self._receive is not None:
            receive, self._receive = self._receive, None
            self._restart = asyncio.create_task(self.start(receive))

    def keep(self) -> None:
        """Keep the merge that was drawn last."""
        self._write('{"do": "keep"}\n')

    async def close(self) -> None:
        """End the process and remove its pictures."""
        if self._listener is not None:
            self._listener.cancel()
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    async def _listen(self, receive: Receive) -> None:
        from tui.drawing.request import WorkerMessage, parse_reply  # with the first drawing, not with the app

        assert self.process is not None and self.process.stdout is not None
        async for line in self.process.stdout:
            receive(parse_reply(line))
        code = await self.process.wait()
        self.process, self._receive = None, receive
        receive(WorkerMessage(error=f"the drawing process ended ({code}); the next change starts it again"))

    def _write(self, line: str) -> None:
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.write(line.encode())
