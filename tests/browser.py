"""A headless Chromium, driven through its DevTools protocol: enough to open a page, press keys and look."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """One open tab."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket, self._last = socket, 0
        self.complaints: list[str] = []  # errors of the console, and what was not loaded

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A method's result; what is reported meanwhile is noted."""
        self._last += 1
        await self._socket.send_json({"id": self._last, "method": method, "params": parameters})
        async with asyncio.timeout(20):
            while True:
                message = json.loads((await self._socket.receive()).data)
                if message.get("id") == self._last:
                    return dict(
                        message.get("result", {}), **({"error": message["error"]} if "error" in message else {})
                    )
                self._note(message)

    async def open(self, address: str) -> None:
        """Go to an address."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=address)

    async def value(self, script: str) -> Any:
        """What a script comes to."""
        done = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return done["result"].get("value")

    async def until(self, script: str, seconds: float = 15) -> None:
        """Wait for a script to come true."""
        async with asyncio.timeout(seconds):
            while not await self.value(script):
                await asyncio.sleep(0.1)

    async def press(self, key: str) -> None:
        """Press and release a key, a letter or digit or Enter."""
        letter = len(key) == 1
        what = {"key": key, "windowsVirtualKeyCode": ord(key.upper()) if letter else 13}
        text = key if letter else "\r"
        await self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **what)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **what)

    async def click(self, x: int, y: int) -> None:
        """Click with the left button."""
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def shot(self, path: Path) -> None:
        """A picture of the page."""
        import base64

        path.write_bytes(base64.b64decode((await self.call("Page.captureScreenshot"))["data"]))

    def _note(self, message: dict[str, Any]) -> None:
        method, said = message.get("method"), message.get("params", {})
        if method == "Log.entryAdded" and said["entry"]["level"] == "error":
            self.complaints.append(f"{said['entry']['text']} {said['entry'].get('url', '')}")
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(said["exceptionDetails"].get("text")))


@asynccontextmanager
async def chromium(profile: Path) -> AsyncIterator[Page]:
    """A fresh browser with one tab."""
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--remote-debugging-port=0",
        "--window-size=1200,800",
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # it may be a script that starts the browser: all of them end together
    )
    try:
        port = profile / "DevToolsActivePort"
        async with asyncio.timeout(20):
            while not (port.exists() and port.read_text().count("\n")):
                await asyncio.sleep(0.1)
        number = port.read_text().splitlines()[0]
        async with ClientSession() as client:
            async with client.get(f"http://127.0.0.1:{number}/json") as response:
                (target,) = [one for one in await response.json() if one["type"] == "page"]
            async with client.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
