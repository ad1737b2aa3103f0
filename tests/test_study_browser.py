"""The voting page in a real Chromium, at a desk and on a phone: served, and as one file without a server."""

import asyncio
import json
from contextlib import AsyncExitStack
from time import monotonic

import pytest
from typer.testing import CliRunner

from lorarar.cli.main import app
from lorarar.store import Store
from studies.rater.trials import trials_of
from studies.store import StudyStore, VoteStore

from .browser import CHROMIUM, browser
from .page_walk import CONTRASTS, DONE, LINES, OUTSIDE, READY, TITLE, answer, begin, give, ready, title, trial
from .study_server import serving, study_in

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]

PAUSE = 0.8  # seconds
DESK, PHONE = (1280, 800), (390, 844)
KEYS = {"1": "left", " ": "similar", "ArrowRight": "right", "0": "similar", "2": "right", "ArrowLeft": "left"}
CODES = ("KEYS", "TOUCH", "UNDO", "ZOOM", "TWICE", "EARLY", "SLOW", "LOST", "LEAVE")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("served"), codes=CODES, most=20, side=48, attention=0) as one:
        yield one


@pytest.fixture(scope="module")
def in_browser(tmp_path_factory):
    """Runs a coroutine function that is given a browser; one browser is enough for all."""
    loop, stack = asyncio.new_event_loop(), AsyncExitStack()
    one = loop.run_until_complete(stack.enter_async_context(browser(tmp_path_factory.mktemp("browser"))))
    yield lambda work: loop.run_until_complete(work(one))
    loop.run_until_complete(stack.aclose())
    loop.close()


async def opened(one, served, code, size=DESK, script="", **looks):
    """A tab on which a rater has opened their link."""
    page = await one.page()
    await page.look(*size, phone=size == PHONE, **looks)
    if script:
        await page.beforehand(script)
    await page.open(f"{served.origin}/?token={served.tokens[code]}")
    await ready(page)
    return page


def fine(page, served):
    """Nothing was complained of, and nothing asked for elsewhere."""
    asked = {url.partition("?")[0] for url in page.requests if not url.startswith("data:")}
    return not page.complaints and all(url.startswith(f"{served.origin}/") for url in asked)


def test_a_study_is_voted_through_by_keys_alone_without_a_click(served, in_browser):
    trials = trials_of(served.study.design, "KEYS")
    pressed = [list(KEYS)[number % len(KEYS)] for number in range(len(trials))]

    async def vote(one):
        page = await opened(one, served, "KEYS")
        assert await page.value("location.href + document.cookie") == f"{served.origin}/"
        assert "KEYS" in await page.value("document.querySelector('.box').textContent")
        await begin(page, page.press)
        for done, key in enumerate(pressed):
            await trial(page, done)
            assert await page.value("document.activeElement.tagName") == "H1"
            assert await page.value("[...document.images].map((one) => one.alt)") == [
                *("Subject", "Style", "Option 1", "Option 2")
            ]
            await give(page, key, done)
        await title(page, "Thank you")
        assert fine(page, served), (page.complaints, page.requests)

    in_browser(vote)
    votes = served.votes("KEYS")
    assert [vote.answer for vote in votes] == [KEYS[key] for key in pressed]
    assert all(0.2 < vote.seconds < 30 for vote in votes)
    assert {(vote.screen.renderer, vote.screen.columns, vote.screen.colours) for vote in votes} == {
        ("browser", 0, 256**3)
    }
    assert all(400 < vote.screen.picture_width == vote.screen.picture_height < 520 for vote in votes)


def test_a_study_is_voted_through_by_touch_alone_on_a_phone(served, in_browser):
    trials = trials_of(served.study.design, "TOUCH")

    async def vote(one):
        page = await opened(one, served, "TOUCH", PHONE)
        sideways = "document.documentElement.scrollWidth > innerWidth"
        assert not await page.value(sideways)
        await page.tap(".buttons .primary")
        await title(page, "What you are asked to do")
        assert not await page.value(sideways)
        await page.tap(".answers .primary")
        for done in range(len(trials)):
            await trial(page, done)
            assert await page.value(OUTSIDE) == []
            assert not await page.value(sideways)
            assert (
                await page.value("Math.min(...[...document.querySelectorAll('button')].map((b) => b.offsetHeight))")
                > 40
            )
            if done == 1:
                for width in (320, 360):
                    await page.look(width, 640, phone=True)
                    assert await page.value(LINES) == [1, 1, 1]
                    assert await page.value(OUTSIDE) == []
                await page.look(*PHONE, phone=True)
            await page.tap(f".answers button:nth-child({done % 3 + 1})")
            if not done:
                await page.until("document.querySelector('.notice b')")
                await page.tap(".answers .primary")
                await asyncio.sleep(0.5)  # as a second click at once on the same spot, the next one would not count
        await title(page, "Thank you")
        assert fine(page, served)

    in_browser(vote)
    votes = served.votes("TOUCH")
    assert [vote.answer for vote in votes] == [
        ("left", "similar", "right")[number % 3] for number in range(len(trials))
    ]
    assert all(2 * 150 < vote.screen.picture_width < 2 * 195 for vote in votes)  # two pixels to each of CSS


def test_undo_pause_and_a_page_that_is_loaded_anew(served, in_browser):
    took = []

    async def vote(one):
        page = await opened(one, served, "UNDO")
        await begin(page, page.press)
        assert await page.value("document.querySelector('.tools button').disabled")
        for done in range(3):
            await answer(page, "1", done)
        for number in (2, 1):  # back by two
            since = monotonic()
            await page.press("u" if number == 2 else "Backspace")
            await ready(page)
            assert "You answered: Option 1" in await page.value(TITLE)
        await trial(page, 3)
        await page.press("p")
        await title(page, "Pause")
        assert await page.value("document.images.length") == 0
        await asyncio.sleep(PAUSE)
        await page.press("Enter")
        await trial(page, 3)
        await page.press("2")
        took.append(monotonic() - since)
        await page.until(f"{READY} && !{TITLE}.includes('You answered')")
        await page.call("Page.reload")
        await trial(page, 3)
        assert fine(page, served)

    in_browser(vote)
    *first, changed = served.votes("UNDO")
    assert [(vote.trial, vote.answer) for vote in first] == [(0, "left"), (1, "left"), (2, "left")]
    assert (changed.trial, changed.answer, changed.supersedes) == (1, "right", first[1].id)
    assert 0.4 < changed.seconds < took[0] - PAUSE  # which is no part of it


def test_pictures_are_enlarged_two_at_once_with_one_crop_and_no_key_answers_meanwhile(served, in_browser):
    crops = "[...document.querySelectorAll('.zoom img')].map((one) => one.style.transform)"

    async def vote(one):
        page = await opened(one, served, "ZOOM")
        await begin(page, page.press)
        for way_in in ("key", "click"):
            if way_in == "key":
                await page.press("z")
            else:
                x, y = await page.value(
                    "(() => { const b = document.querySelector('.options img')"
                    ".getBoundingClientRect(); return [b.x + 9, b.y + 9]; })()"
                )
                await page.click(x, y)
            await page.until("document.querySelectorAll('dialog[open] .pane img').length === 2")
            before = await page.value(crops)
            for key in ("+", "+", "ArrowLeft", "1", "2", "0"):
                await page.press(key)
            first, second = await page.value(crops)
            assert first == second != before[0]
            await page.press("Escape")
            await page.until("!document.querySelector('dialog')")
            assert await page.value("document.activeElement.tagName") == "H1"
        await page.press("x")
        await page.until("document.querySelector('.zoom img').alt.startsWith('Subject')")
        await page.press("Escape")
        await page.press("?")
        await page.until("document.querySelector('dialog.help')")
        keys = await page.value("[...document.querySelectorAll('.help th')].map((one) => one.textContent).join()")
        assert all(word in keys for word in ("1 or ←", "0, space or ↓", "2 or →", "backspace", "p", "?"))
        await page.press("?")
        await page.until("!document.querySelector('dialog')")
        assert await page.value(DONE) == 0
        await answer(page, "2", 0)
        assert fine(page, served)

    in_browser(vote)
    assert [vote.answer for vote in served.votes("ZOOM")] == ["right"]


def test_of_two_windows_the_one_behind_is_told_and_goes_on_where_the_other_is(served, in_browser):
    async def vote(one):
        page = await opened(one, served, "TWICE")
        await begin(page, page.press)
        other = await one.page(beside=page)
        await other.look(*DESK)
        await other.open(f"{served.origin}/")
        await title(other, "What you are asked to do")
        await other.press("Enter")
        await answer(other, "1", 0)
        await page.call("Page.bringToFront")
        await page.press("2")
        await page.until(f"{READY} && {DONE} === 1 && document.querySelector('.notice').textContent")
        await answer(page, "2", 1)

    in_browser(vote)
    assert [(vote.trial, vote.answer) for vote in served.votes("TWICE")] == [(0, "left"), (1, "right")]


HELD_PICTURES = """
const decode = HTMLImageElement.prototype.decode;
window.held = new Promise((go) => (window.release = go));
HTMLImageElement.prototype.decode = function () {
    return document.querySelector(".example, .trial") ? window.held.then(() => decode.call(this)) : decode.call(this);
};
"""


def test_a_key_before_all_pictures_are_there_counts_for_nothing(served, in_browser):
    async def vote(one):
        page = await opened(one, served, "EARLY", script=HELD_PICTURES)
        await page.press("y")
        await title(page, "What you are asked to do")
        await page.press("Enter")
        await page.until("document.querySelector('#status').textContent === 'loading…'")
        for key in ("1", "2", "0"):
            await page.press(key)
        await page.value("window.release()")
        await page.until("document.querySelector('.trial')")
        await page.press("1")  # at once, for what was there before
        await trial(page, 0)
        await page.press("2")
        await page.until(f"{READY} && document.querySelector('.notice b')")

    in_browser(vote)
    (vote,) = served.votes("EARLY")
    assert vote.answer == "right"
    assert 0.2 <= vote.seconds < 5


#: The next request of the page's waits for `release`, or its answer is lost, or it is refused.
HELD_REQUESTS = """
const ask = window.fetch;
window.fate = "";
window.fetch = async (...what) => {
    const fate = window.fate;
    window.fate = "";
    if (fate === "wait") await new Promise((go) => (window.release = go));
    if (fate === "refuse") return new Response(`{"error": "Just now it cannot; try again."}`, { status: 503 });
    const answer = await ask(...what);
    if (fate === "lose") throw new TypeError("network");
    return answer;
};
"""


def test_while_a_vote_is_on_its_way_that_is_said_and_nothing_answers_the_next_trial(served, in_browser):
    async def vote(one):
        page = await opened(one, served, "SLOW", script=HELD_REQUESTS)
        await begin(page, page.press)
        await answer(page, "1", 0)
        await trial(page, 1)
        await page.value("window.fate = 'wait'")
        await page.press("1")
        await page.until("document.querySelector('#status').textContent === 'saving…'")
        for key in ("2", "2", "u"):
            await page.press(key)
        await page.value("window.release()")
        await trial(page, 2)
        await page.press("0")
        await trial(page, 3)

    in_browser(vote)
    assert [(vote.trial, vote.answer) for vote in served.votes("SLOW")] == [(0, "left"), (1, "left"), (2, "similar")]


def test_what_goes_wrong_is_one_line_and_can_be_tried_again(served, in_browser):
    async def vote(one):
        page = await opened(one, served, "LOST", script=HELD_REQUESTS)
        await begin(page, page.press)
        await answer(page, "1", 0)
        for done, (fate, words) in enumerate({"refuse": "Just now it cannot", "lose": "does not answer"}.items(), 1):
            await trial(page, done)
            await page.value(f"window.fate = '{fate}'")
            await page.press("2")
            await page.until("document.activeElement.textContent.startsWith('Try again')")
            said = await page.value("document.querySelector('[role=alert] p').textContent")
            assert words in said
            assert "\n" not in said
            await page.press("Enter")
            await page.until(f"!document.querySelector('[role=alert]') && {DONE} === {done + 1}")
            assert await page.value("document.querySelector('.notice').textContent") == ""

    in_browser(vote)
    assert [(vote.trial, vote.answer) for vote in served.votes("LOST")] == [(0, "left"), (1, "right"), (2, "right")]


def test_who_does_not_agree_leaves_nothing_behind_and_a_foreign_page_cannot_agree_for_them(
    served, in_browser, tmp_path
):
    async def leave(one):
        page = await opened(one, served, "LEAVE")
        await page.press("n")
        await title(page, "You have left")
        (tmp_path / "foreign.html").write_text("<!doctype html><title>x</title>")
        foreign = await one.page(beside=page)
        await foreign.open((tmp_path / "foreign.html").as_uri())
        await foreign.until("document.title === 'x'")
        how = "{method: 'POST', mode: 'no-cors', credentials: 'include', body: '{}'}"
        await foreign.value(f"fetch('{served.origin}/consent', {how}).then(() => 1, () => 0)")
        await page.press("Enter")
        await title(page, "Before you begin")

    in_browser(leave)
    with Store(served.database) as store:
        assert store.rows("SELECT 1 FROM study_raters WHERE code = 'LEAVE'") == []


# one file, without a server

NASTY = "</script><script>document.title='<b>broken'</script> <img src=x onerror=alert(1)> & <b>bold</b>"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A database, and its study as one page whose words try to be markup."""
    folder = tmp_path_factory.mktemp("exported")
    path = study_in(folder, side=48, attention=0)
    (folder / "words.txt").write_text(NASTY)
    more = ["--instruction", str(folder / "words.txt"), "--tie", NASTY[:40]]
    run(path, "new", "nasty", "--kind", "absolute", "--methods", "alpha", "--items", "4", *more)
    run(path, "export", "s", "-o", str(folder / "s.html"))
    run(path, "export", "nasty", "-o", str(folder / "nasty.html"))
    return path


def run(path, *words):
    done = CliRunner().invoke(app, ["study", *words, "--db", str(path)])
    assert done.exit_code == 0, done.output
    return done


async def offline(one, file, beside=None, script="", size=DESK, **looks):
    page = await one.page(beside)
    await page.look(*size, phone=size == PHONE, **looks)
    if script:
        await page.beforehand(script)
    await page.open(file.as_uri())
    await ready(page)
    return page


def alone(page):
    return not page.complaints and all(url.startswith(("data:", "file:", "blob:")) for url in page.requests)


async def saved(folder):
    """The votes that a page saves, once they are there."""
    async with asyncio.timeout(10):
        while not (files := list(folder.glob("*.votes.jsonl"))):
            await asyncio.sleep(0.02)
    return files[0]


def test_votes_of_the_one_file_are_imported_as_they_were_given(exported, in_browser, tmp_path):
    with Store(exported) as store:
        study = StudyStore(store).get("s")
    given = {}

    async def vote(one):
        page = await offline(one, exported.with_name("s.html"))
        await one.save_to(tmp_path, page)
        code = await page.value("document.querySelector('.code').textContent")
        trials = trials_of(study.design, code)
        await begin(page, page.press)
        half = len(trials) // 2
        for done in range(half):
            given[done] = list(KEYS)[done % 6]
            await answer(page, given[done], done)
        await page.browser.call("Target.closeTarget", targetId=page.target)
        page = await offline(one, exported.with_name("s.html"), beside=page)  # it goes on after it was closed
        for done in range(half, len(trials)):
            given[done] = list(KEYS)[done % 6]
            await answer(page, given[done], done)
        await title(page, "Thank you")
        await page.press("u")
        await trial(page, len(trials))
        await page.press("0")
        await title(page, "Thank you")
        await page.press("s")
        assert alone(page), (page.complaints, page.requests)
        return code, await saved(tmp_path)

    code, file = in_browser(vote)
    assert file.name == f"{code}.votes.jsonl"
    assert f"{len(given) + 1} new votes" in run(exported, "import", str(file)).output
    with Store(exported) as store:
        votes = VoteStore(store, study).of(code)
    assert [(vote.trial, vote.answer) for vote in votes] == [
        *((number, KEYS[key]) for number, key in given.items()),
        (len(given) - 1, "similar"),
    ]
    assert votes[-1].supersedes == votes[-2].id


def test_what_a_study_says_is_text_and_every_screen_can_be_read_in_light_and_in_dark(exported, in_browser):
    async def look(one):
        for dark, size in ((False, DESK), (True, PHONE)):
            page = await offline(one, exported.with_name("nasty.html"), size=size, dark=dark)
            least = {}

            async def measure(page=page, least=least):
                least.update(await page.value(CONTRASTS))

            await measure()
            await page.press("y")
            await title(page, "What you are asked to do")
            assert NASTY in await page.value("document.querySelector('.words').textContent")
            await measure()
            await page.press("Enter")
            await trial(page, 0)
            await measure()
            assert await page.value(OUTSIDE) == []
            await page.press("?")
            await measure()
            await page.press("Escape")
            await page.press("z")
            await measure()
            await page.press("Escape")
            for key in ("4", "Enter", "3", "2"):
                await ready(page)
                await asyncio.sleep(0.22)
                await measure()
                await page.press(key)
            await trial(page, 3)
            await page.press("p")
            await title(page, "Pause")
            await measure()
            assert len(least) > 25
            assert {words: value for words, value in least.items() if value < 4.5} == {}
            grounds = await page.value("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
            assert len(set(grounds)) == 1  # a grey, dark or light
            assert (grounds[0] < 80) == dark
            assert await page.value("document.querySelectorAll('script').length + document.title") == (
                await page.value(
                    "document.querySelectorAll('[type=\"application/octet-stream\"]').length + 1 + 'A study'"
                )
            )
            assert alone(page), page.complaints

    in_browser(look)


NO_STORAGE = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no'); }});"
NO_DIGESTS = "Object.defineProperty(crypto, 'subtle', {value: undefined});"


def test_a_browser_that_keeps_nothing_says_so_and_one_without_digests_too(exported, in_browser, tmp_path):
    async def look(one):
        page = await offline(one, exported.with_name("s.html"), script=NO_STORAGE)
        await one.save_to(tmp_path, page)
        await begin(page, page.press)
        await answer(page, "1", 0)
        await trial(page, 1)
        await page.press("p")
        await title(page, "Pause")
        assert "keeps nothing" in await page.value("document.querySelector('.warning').textContent")
        await page.press("s")
        lines = (await saved(tmp_path)).read_text().splitlines()
        assert [json.loads(line).get("answer") for line in lines] == [None, "left"]
        page = await offline(one, exported.with_name("s.html"), script=NO_DIGESTS)
        assert "another one" in await page.value("document.querySelector('.words').textContent")

    in_browser(look)


def test_a_rater_of_the_one_file_can_type_a_code(exported, in_browser):
    async def look(one):
        page = await offline(one, exported.with_name("s.html"))
        await page.click(
            *await page.value(
                "(() => { const b = document.querySelector('summary').getBoundingClientRect();"
                " return [b.x + 9, b.y + 9]; })()"
            )
        )
        await page.value("document.querySelector('input').focus()")
        for letter in "sim-9":
            await page.press(letter)
        await page.press("Enter")
        await page.until("document.querySelector('[role=alert]')")
        await page.press("Enter")
        await page.value("(document.querySelector('input').value = 'mine-1', document.querySelector('input').focus())")
        await page.press("Enter")
        await page.until(f"{READY} && document.querySelector('.code').textContent === 'MINE-1'")
        await begin(page, page.press)
        again = await offline(one, exported.with_name("s.html"), beside=page)
        await title(again, "What you are asked to do")

    in_browser(look)
