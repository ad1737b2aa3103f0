"""A served study in a real browser: a rater votes it through with the keyboard; a foreign page gets nowhere."""

import asyncio
import socket

import pytest
from aiohttp import web

from lorarar.store import Store
from studies.creation.create import StudyRequest, new_study
from studies.rater.trials import trials_of
from studies.serving.server import StudyServer, StudyService
from studies.serving.tokens import new_token
from studies.store import VoteStore

from .browser import CHROMIUM, chromium
from .studies_database import make_database

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


async def listen(application, port):
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


def study_in(folder):
    path = make_database(folder, subjects=("can", "cat"), styles=("oil",), seeds=1)
    with Store(path) as store:
        return path, new_study(store, StudyRequest("s", "ab", ("alpha", "beta"), "random"))


def test_a_rater_votes_a_whole_study_in_chromium_on_the_apps_own_screens(tmp_path, monkeypatch):
    monkeypatch.setenv("LORARAR_CACHE", str(tmp_path / "cache"))
    path, study = study_in(tmp_path)
    tokens = {new_token(): "WEB-1"}
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    trials = trials_of(study.design, "WEB-1")
    assert trials[0].purpose == "practice"
    pressed = ["1", "2", "3", "1", "2", "3"][: len(trials)]

    async def vote():
        server = StudyServer(
            StudyService(study="s", database=path, tokens=tokens, origin=origin, host="127.0.0.1", port=port)
        )
        runner = await listen(await server.application(), port)
        try:
            async with chromium(tmp_path / "profile") as page:
                await page.open(f"{origin}/?token={next(iter(tokens))}")
                await page.until("document.body.classList.contains('-first-byte')")
                assert await page.value("location.href") == f"{origin}/"
                assert await page.value("document.cookie") == ""
                await page.click(600, 400)
                await once(lambda: rows(path, "study_raters"), page, "y")  # consent
                await once(lambda: rows(path, "study_votes"), page, "Enter", pressed[0])  # the example, the practice
                await page.press("Enter")
                for done, key in enumerate(pressed[1:], start=2):
                    await once(lambda done=done: rows(path, "study_votes") >= done, page, key, again=5.0)
                await page.shot(tmp_path / "thanks.png")
                # the one thing from elsewhere that textual-serve's page asks for is a font, and it is not fetched
                assert [c for c in page.complaints if "fonts.googleapis.com" not in c] == []
        finally:
            await runner.cleanup()
            await asyncio.sleep(0.5)

    asyncio.run(vote())
    with Store(path) as store:
        votes = VoteStore(store, study).of("WEB-1")
    assert [vote.answer for vote in votes] == [{"1": "left", "2": "similar", "3": "right"}[key] for key in pressed]
    assert all(0 < vote.seconds < 60 and vote.screen.columns > 80 for vote in votes)
    assert {vote.screen.renderer for vote in votes} == {"half"}


async def once(there, page, *keys, again=1.0):
    """Press keys until something is there: a screen whose pictures are not up yet takes none."""
    async with asyncio.timeout(40):
        while not there():
            for key in keys:
                await page.press(key)
            for _ in range(int(again / 0.05)):
                await asyncio.sleep(0.05)
                if there():
                    break


def rows(path, table):
    with Store(path) as store:
        return store.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]


def test_a_foreign_page_cannot_drive_a_raters_session(tmp_path):
    port, other = free_port(), free_port()
    origin, token = f"http://127.0.0.1:{port}", new_token()
    started = []

    async def foreign(_):
        text = f"""<script>
            const socket = new WebSocket("ws://127.0.0.1:{port}/ws");
            socket.onopen = () => document.title = "open";
            socket.onerror = () => document.title = "refused";
        </script>"""
        return web.Response(text=text, content_type="text/html")

    async def attack():
        def command(code):
            started.append(code)
            return "true"

        server = StudyServer(
            StudyService(
                study="s", database=tmp_path, tokens={token: "ONE"}, origin=origin, host="127.0.0.1", port=port
            ),
            command,
        )
        elsewhere = web.Application()
        elsewhere.add_routes([web.get("/", foreign)])
        runners = [await listen(await server.application(), port), await listen(elsewhere, other)]
        try:
            async with chromium(tmp_path / "profile") as page:
                await page.open(f"{origin}/static/js/textual.js")
                await page.value(f"fetch('{origin}/?token={token}', {{redirect: 'manual'}}).then(() => 1)")
                await page.open(f"http://127.0.0.1:{other}/")
                await page.until("document.title != ''")
                assert await page.value("document.title") == "refused"
        finally:
            for runner in runners:
                await runner.cleanup()

    asyncio.run(attack())
    assert started == []
