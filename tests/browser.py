"""A headless Chromium, driven through its DevTools protocol: enough to open a page, press keys, tap and look.

The protocol goes over a pair of sockets that the browser inherits (``--remote-debugging-pipe``), so no port is open.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
LARGEST = 2**28  # bytes of a message
# the browser reads file 3 and writes file 4
START = """
import fcntl, os, sys
ours = fcntl.fcntl(int(sys.argv[1]), fcntl.F_DUPFD, 10)
os.dup2(ours, 3), os.dup2(ours, 4)
os.execv(sys.argv[2], sys.argv[2:])
"""
#: What the protocol wants to know of a key beside its name: code, number, text.
KEYS = {
    "Enter": ("Enter", 13, "\r"),
    "Escape": ("Escape", 27, ""),
    "Backspace": ("Backspace", 8, ""),
    "Tab": ("Tab", 9, ""),
    " ": ("Space", 32, " "),
    "ArrowLeft": ("ArrowLeft", 37, ""),
    "ArrowUp": ("ArrowUp", 38, ""),
    "ArrowRight": ("ArrowRight", 39, ""),
    "ArrowDown": ("ArrowDown", 40, ""),
}


class Page:
    """One open tab."""

    def __init__(self, browser: Browser, target: str, session: str, context: str) -> None:
        self.browser, self.target, self.session, self.context = browser, target, session, context
        self.complaints: list[str] = []  # errors of the browser, what the page logs, exceptions
        self.requests: list[str] = []  # addresses that were asked for

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A method's result; its error under ``error``."""
        return await self.browser.call(method, self.session, **parameters)

    async def open(self, address: str) -> None:
        """Go to an address."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=address)

    async def look(self, width: int, height: int, *, phone: bool = False, dark: bool = False) -> None:
        """Be a screen of this many CSS pixels, of a phone with two pixels to each and touch, or dark."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )
        await self.call("Emulation.setTouchEmulationEnabled", enabled=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])

    async def beforehand(self, script: str) -> None:
        """Run a script in every page that is opened from now on, before any of its own."""
        await self.call("Page.addScriptToEvaluateOnNewDocument", source=script)

    async def value(self, script: str) -> Any:
        """What a script comes to.

        Raises:
            RuntimeError: the script fails.
        """
        done = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            raise RuntimeError(done["exceptionDetails"].get("exception", {}).get("description", script))
        return done.get("result", {}).get("value")

    async def until(self, script: str, seconds: float = 15) -> None:
        """Wait for a script to come true; until it does, it may fail."""
        last: Any = None
        try:
            async with asyncio.timeout(seconds):
                while not (last := await self._attempt(script)) or isinstance(last, str):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise TimeoutError(f"never true: {script} ({last})") from None

    async def _attempt(self, script: str) -> bool | str:
        """Whether a script is true, or how it fails."""
        try:
            return bool(await self.value(f"Boolean({script})"))
        except RuntimeError as error:
            return str(error)

    async def press(self, key: str) -> None:
        """Press and release a key: a letter, a digit or one of ``KEYS``."""
        code, number, text = KEYS.get(key, (f"Digit{key}" if key.isdigit() else "", ord(key[0].upper()), key))
        what = {"key": key, "code": code, "windowsVirtualKeyCode": number}
        down = {"type": "keyDown", "text": text} if text else {"type": "rawKeyDown"}
        await self.call("Input.dispatchKeyEvent", **down, **what)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **what)

    async def click(self, x: float, y: float) -> None:
        """Click with the left button."""
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def tap(self, selector: str) -> None:
        """Touch the middle of an element with a finger, after scrolling to it."""
        x, y = await self.value(
            f"""(() => {{
                const one = document.querySelector({json.dumps(selector)});
                one.scrollIntoView({{block: "nearest"}});
                const box = one.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )
        await self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        await self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    async def shot(self, path: Path) -> None:
        """A picture of the page."""
        path.write_bytes(base64.b64decode((await self.call("Page.captureScreenshot"))["data"]))

    def note(self, method: str, said: dict[str, Any]) -> None:
        """Keep what the page reports."""
        if method == "Log.entryAdded" and said["entry"]["level"] == "error":
            self.complaints.append(f"{said['entry']['text']} {said['entry'].get('url', '')}")
        elif method == "Runtime.consoleAPICalled" and said["type"] in ("error", "warning", "assert"):
            self.complaints.append(" ".join(str(one.get("value")) for one in said["args"]))
        elif method == "Runtime.exceptionThrown":
            details = said["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(said["request"]["url"])


class Browser:
    """A running browser; its tabs share one pipe."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._last = 0
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._pages: dict[str, Page] = {}

    async def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """A method's result, of a tab or of the browser; its error under ``error``."""
        self._last += 1
        answer = self._waiting[self._last] = asyncio.get_running_loop().create_future()
        message = {"id": self._last, "method": method, "params": parameters}
        self._writer.write(json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        async with asyncio.timeout(20):
            return await answer

    async def save_to(self, folder: Path, page: Page) -> None:
        """Where the files go that a page saves."""
        where = {"behavior": "allow", "downloadPath": str(folder), "browserContextId": page.context}
        await self.call("Browser.setDownloadBehavior", **where)

    async def page(self, beside: Page | None = None) -> Page:
        """A new tab: of a person of its own, with no cookies, or of the person of another tab."""
        context = beside.context if beside else (await self.call("Target.createBrowserContext"))["browserContextId"]
        target = await self.call("Target.createTarget", url="about:blank", browserContextId=context)
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = Page(self, target["targetId"], attached["sessionId"], context)
        self._pages[page.session] = page
        return page

    async def listen(self) -> None:
        """Hand what the browser says to those who wait for it, for as long as it runs."""
        with suppress(asyncio.IncompleteReadError):
            while True:
                message = json.loads((await self._reader.readuntil(b"\0"))[:-1])
                if "id" in message:
                    result, error = message.get("result", {}), message.get("error")
                    if not (answer := self._waiting.pop(message["id"])).done():
                        answer.set_result({**result, **({"error": error} if error else {})})
                elif page := self._pages.get(message.get("sessionId", "")):
                    page.note(message["method"], message.get("params", {}))


@asynccontextmanager
async def browser(profile: Path) -> AsyncIterator[Browser]:
    """A fresh browser."""
    assert CHROMIUM is not None
    ours, theirs = socket.socketpair()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", START, str(theirs.fileno()), CHROMIUM, *FLAGS, "--window-size=1280,800", f"--user-data-dir={profile}"),
        "about:blank",
        pass_fds=[theirs.fileno()],
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # it may be a script that starts the browser: all of them end together
    )
    theirs.close()
    reader, writer = await asyncio.open_connection(sock=ours, limit=LARGEST)
    one = Browser(reader, writer)
    listening = asyncio.create_task(one.listen())
    try:
        yield one
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        await listening
        writer.close()


@asynccontextmanager
async def chromium(profile: Path) -> AsyncIterator[Page]:
    """A fresh browser with one tab."""
    async with browser(profile) as one:
        yield await one.page()
