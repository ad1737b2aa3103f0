"""The app under Pilot: a screen of a size, half cells, a cache of its own."""

import asyncio

from rich.text import Text

from tui.app import LorararApp
from tui.half_cells import HalfCells
from tui.picture_mode import PictureMode

HALF = PictureMode("half", HalfCells, (10, 20))
NONE = PictureMode("none", None, (10, 20))


class FakeDrawingClient:
    """Draws nothing; replies are what a test hands to ``receive``."""

    def __init__(self):
        self.requests, self.kept, self.receive, self.closed = [], 0, None, False

    async def start(self, receive):
        self.receive = receive

    def draw(self, request):
        self.requests.append(request)

    def keep(self):
        self.kept += 1

    async def close(self):
        self.closed = True


def drive(database, script, size=(120, 40), picture_mode=HALF, mode="matrix", client=None):
    """Run the app on a database and let ``script(app, pilot)`` drive it; returns what it returns."""

    async def go():
        app = LorararApp(database, picture_mode, mode, client or FakeDrawingClient())
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: app.context.snapshot is not None)
            await until(pilot, lambda: not app.context.snapshot.pictures or not app.loading_snapshot)
            await until(pilot, lambda: bool(app.screen.query("TopBar")) and app.screen.is_mounted)
            await pilot.pause()
            return await script(app, pilot)

    return asyncio.run(go())


PATIENCE = (
    60.0  # seconds at least until a wait is given up; a machine with other work takes long, and no test is about that
)


async def until(pilot, true, seconds=PATIENCE):
    """Wait until something is true."""
    for _ in range(int(seconds / 0.02)):
        if true():
            return
        await pilot.pause(0.02)
    raise AssertionError("it never came true")


async def sees(pilot, *texts, seconds=PATIENCE):
    """Wait until all these texts are on the screen."""
    missing = []
    for _ in range(int(seconds / 0.02)):
        screen = screen_text(pilot.app)
        missing = [text for text in texts if text not in screen]
        if not missing:
            return
        await pilot.pause(0.02)
    raise AssertionError(f"not on the screen: {missing}")


def words(widget):
    """What a Static says."""
    content = widget.content
    return content.plain if isinstance(content, Text) else str(content)


def screen_text(app):
    """All that is on the screen, as the terminal would get it."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in lines[:height])[: (width + 1) * height * 2]
