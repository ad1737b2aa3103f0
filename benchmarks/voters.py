"""Raters' browsers, many in one process: each opens its link, fetches pictures as the page does, and votes in time.

``python -m benchmarks.voters`` takes the links and the seconds from vote to vote as JSON on stdin, and prints how long
every vote and every picture took, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

AT_ONCE = 4  # connections of one browser
SCREEN = {
    "renderer": "browser",
    "columns": 0,
    "rows": 0,
    "cell_width": 0,
    "cell_height": 0,
    "picture_width": 512,
    "picture_height": 512,
    "colours": 1 << 24,
}


@dataclass
class Times:
    """What was measured, in seconds."""

    votes: list[float] = field(default_factory=list)
    pictures: list[float] = field(default_factory=list)
    late: int = 0  # votes for which the pictures were not there in time
    bytes: int = 0  # of pictures
    processor: float = 0.0  # of this process


class Browser:
    """One rater's: a few connections, a cookie, and the pictures that it has."""

    def __init__(self, link: str, times: Times) -> None:
        self.place, self.times = urlsplit(link), times
        self.origin = f"{self.place.scheme}://{self.place.netloc}"
        self.cookie = ""
        self.has: set[str] = set()
        self.free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def vote_through(self, start: float, interval: float) -> None:
        """Open the link, agree, and answer trial after trial, one at a time every ``interval`` seconds."""
        await self.connect()
        head, _ = await self.request("GET", f"/?{self.place.query}")
        self.cookie = re.findall(r"set-cookie: ([^;]+)", head)[0]
        await self.request("GET", "/")
        await self.state("GET", "/state")
        state = await self.state("POST", "/consent", {})
        due = start
        while state["trial"]:
            await self.fetch(state["trial"])
            beforehand = asyncio.create_task(self.fetch({"options": state["next"]}))
            due += interval
            now = time.perf_counter()
            self.times.late += now > due
            await asyncio.sleep(max(0.0, due - now))
            answer = random.choice(("left", "similar", "right"))
            body = {"trial": state["trial"]["number"], "answer": answer, "seconds": interval, "screen": SCREEN}
            sent = time.perf_counter()
            state = await self.state("POST", "/vote", body)
            self.times.votes.append(time.perf_counter() - sent)
            await beforehand
        self.close()

    async def connect(self) -> None:
        """Open the connections."""
        for _ in range(AT_ONCE):
            self.free.put_nowait(await asyncio.open_connection(self.place.hostname, self.place.port, limit=1 << 22))

    def close(self) -> None:
        """Close them."""
        while not self.free.empty():
            self.free.get_nowait()[1].close()

    async def fetch(self, shown_trial: dict[str, Any]) -> None:
        """Have all pictures of a trial: those that are not there yet are fetched side by side."""
        addresses = {*shown_trial["options"], *(shown_trial[key] for key in ("subject", "style") if key in shown_trial)}
        await asyncio.gather(*map(self.picture, addresses - self.has))

    async def picture(self, address: str) -> None:
        """Have a picture."""
        self.has.add(address)
        sent = time.perf_counter()
        _, png = await self.request("GET", address)
        self.times.pictures.append(time.perf_counter() - sent)
        self.times.bytes += len(png)

    async def state(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """The state that a request leads to."""
        _, text = await self.request(method, path, None if body is None else json.dumps(body).encode())
        state: dict[str, Any] = json.loads(text)
        return state

    async def request(self, method: str, path: str, body: bytes | None = None) -> tuple[str, bytes]:
        """Head and body of an answer.

        Raises:
            RuntimeError: it is a refusal.
        """
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.place.netloc}", f"Cookie: {self.cookie}"]
        if body is not None:
            lines += [f"Origin: {self.origin}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        connection = await self.free.get()
        try:
            reader, writer = connection
            writer.write("\r\n".join([*lines, "", ""]).encode() + (body or b""))
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            text = await reader.readexactly(int(re.findall(r"content-length: (\d+)", head)[0]))
        finally:
            self.free.put_nowait(connection)
        if head.split()[1] not in ("200", "303"):
            raise RuntimeError(f"{path}: {head.splitlines()[0]}: {text[:200]!r}")
        return head, text


async def vote(links: list[str], interval: float) -> Times:
    """All raters vote their study through, evenly spread over an interval."""
    times, start = Times(), time.perf_counter() + 1.0
    async with asyncio.TaskGroup() as group:
        for number, link in enumerate(links):
            begin = start + interval * number / len(links)
            group.create_task(_later(begin, Browser(link, times), interval))
    times.processor = time.process_time()
    return times


async def _later(start: float, browser: Browser, interval: float) -> None:
    await asyncio.sleep(max(0.0, start - time.perf_counter()))
    await browser.vote_through(start, interval)


if __name__ == "__main__":
    asked_for = json.load(sys.stdin)
    print(json.dumps(vars(asyncio.run(vote(asked_for["links"], asked_for["interval"])))))
