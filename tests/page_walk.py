"""What a rater does on the voting page, in a real browser."""

import asyncio
import json

LOOK = 0.22  # seconds that a trial is on the screen before an answer counts, and a little
READY = "document.querySelector('#page[aria-busy=false]')"
DONE = "document.querySelector('progress').value"
TITLE = "document.querySelector('h1').textContent"
#: Text on its ground: every one on the screen with its contrast, by WCAG's formula.
CONTRASTS = """
(() => {
    const light = (rgb) => {
        const [r, g, b] = rgb.map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const colour = (text) => text.match(/[\\d.]+/g).map(Number);
    const ground = (one) => {
        for (; one; one = one.parentElement) {
            const found = colour(getComputedStyle(one).backgroundColor);
            if (found.length < 4 || found[3] > 0) return found.slice(0, 3);
        }
        return [255, 255, 255];
    };
    const found = {};
    for (const one of document.querySelectorAll("body *")) {
        const own = [...one.childNodes].filter((n) => n.nodeType === 3 && n.textContent.trim());
        if (!own.length || !one.checkVisibility() || one.closest("button:disabled")) continue;
        if (["SCRIPT", "STYLE"].includes(one.tagName)) continue;
        const pair = [light(colour(getComputedStyle(one).color).slice(0, 3)), light(ground(one))].sort();
        found[own[0].textContent.trim().slice(0, 40)] = (pair[1] + 0.05) / (pair[0] + 0.05);
    }
    return found;
})()
"""
#: What is not whole on the screen, of what a rater needs at once.
OUTSIDE = """
[...document.querySelectorAll(".board img, .answers button, .tools button")].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width < 40 || box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight;
}).map((one) => one.alt ?? one.textContent)
"""
#: In how many lines the words of each answer stand.
LINES = "[...document.querySelectorAll('.answers span')].map((one) => one.getClientRects().length)"


async def ready(page):
    """Wait until the page has done what it was asked to."""
    await page.until(READY)


async def trial(page, done):
    """Wait until a trial is up to be answered, after so many that are."""
    await page.until(f"{READY} && document.querySelector('.trial') && {DONE} === {done}")
    await asyncio.sleep(LOOK)


async def title(page, words):
    """Wait for a screen by its title."""
    await page.until(f"{READY} && {TITLE}.includes({json.dumps(words)})")


async def begin(page, press):
    """From consent to the first trial, each step by one press: a key's, or a finger's."""
    await title(page, "Before you begin")
    await press("y")
    await title(page, "What you are asked to do")
    await press("Enter")
    await page.until(f"{READY} && document.querySelector('.trial')")


async def answer(page, key, done):
    """Wait for a trial, and answer it by a key."""
    await trial(page, done)
    await give(page, key, done)


async def give(page, key, done):
    """Answer the trial that is up by a key; of practice, also go on."""
    practice = await page.value("Boolean(document.querySelector('.tag'))")
    await page.press(key)
    if practice:
        await page.until(f"{READY} && document.querySelector('.notice b')")
        await page.press("Enter")
    await page.until(f"{READY} && !(document.querySelector('progress')?.value === {done})")
