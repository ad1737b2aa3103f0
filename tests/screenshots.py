"""Screenshots of the app as small SVG files, a line a row of the terminal; compared as text, so no font matters."""

from __future__ import annotations

import difflib
import os
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from rich.segment import Segment
from rich.style import Style

WIDE, HIGH = 8, 16  # of a cell, in units of the SVG
KEPT = Path(__file__).parent / "data" / "screens"
UPDATE = "LORARAR_SCREENS"  # set to "update" the screenshots are written anew, not compared
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" font-family="monospace" font-size="13.3">'
HEAD = f"{SVG}<style>text{{{{white-space:pre}}}}</style>"
NAMESPACE = "{http://www.w3.org/2000/svg}"


def rows(app) -> list[list[Segment]]:
    """What is on the screen, row by row, covered screens included; equal styles in a row are one segment."""
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens, simplify=True)
    lines = [[]]
    for segment in app.console.render(update):
        if segment.control:
            continue
        for number, part in enumerate(segment.text.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append(Segment(part, segment.style or Style()))
    return [list(Segment.simplify(line)) for line in lines[: app.size.height]]


def export_screenshot(app) -> str:
    """The screen as SVG."""
    width, height = app.size
    lines = [HEAD.format(width * WIDE, height * HIGH)]
    lines += [_row(line, number) for number, line in enumerate(rows(app))]
    return "\n".join([*lines, "</svg>", ""])


def compare(name: str, now: str, folder: Path) -> str:
    """What differs from the screenshot that is kept, in words; empty where nothing does.

    The new one is written into ``folder``, to be looked at; where ``$LORARAR_SCREENS`` is ``update``, to its place.
    """
    kept = KEPT / f"{name}.svg"
    if os.environ.get(UPDATE) == "update":
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(now, encoding="utf-8", newline="\n")
    before = kept.read_text(encoding="utf-8") if kept.exists() else ""
    if before == now:
        return ""
    (folder / kept.name).write_text(now, encoding="utf-8")
    texts = [text_of(svg) if svg else [] for svg in (before, now)]
    of = texts if texts[0] != texts[1] else [before.splitlines(), now.splitlines()]
    changes = list(difflib.unified_diff(*of, f"{name}, kept", f"{name}, now", lineterm="", n=1))
    return "\n".join([*changes[:40], f"the new one: {folder / kept.name}"])


def text_of(svg: str) -> list[str]:
    """The words of a screenshot, row by row."""
    words: dict[int, str] = {}
    for text in ElementTree.fromstring(svg).iter(f"{NAMESPACE}text"):
        row, column = int(text.get("y", "0")) // HIGH, int(text.get("x", "0")) // WIDE
        words[row] = words.get(row, "").ljust(column) + (text.text or "")
    return [words.get(row, "") for row in range(max(words, default=-1) + 1)]


def _row(line: list[Segment], number: int) -> str:
    """One row: its grounds, then its words."""
    grounds, words, column = [], [], 0
    for ground, segments in groupby(line, lambda segment: _colours(segment.style)[1]):
        start = column
        for segment in segments:
            if segment.text.strip():
                words.append(_words(segment, column, number))
            column += segment.cell_length
        size = f'x="{start * WIDE}" y="{number * HIGH}" width="{(column - start) * WIDE}" height="{HIGH}"'
        grounds.append(f'<rect {size} fill="{ground}"/>')
    return f"<g>{''.join(grounds)}{''.join(words)}</g>"


def _words(segment: Segment, column: int, row: int) -> str:
    style = segment.style
    text = segment.text.rstrip()
    column += len(text) - len(text.lstrip())
    marks = {"font-weight": "bold" if style.bold else "", "font-style": "italic" if style.italic else ""}
    marks["text-decoration"] = "underline" if style.underline else "line-through" if style.strike else ""
    more = "".join(f' {mark}="{value}"' for mark, value in marks.items() if value)
    text = text.lstrip()
    size = f'x="{column * WIDE}" y="{row * HIGH + 12}" textLength="{Segment(text).cell_length * WIDE}"'
    return f'<text {size} fill="{_colours(style)[0]}"{more}>{escape(text)}</text>'


def _colours(style: Style) -> tuple[str, str]:
    """The colour of the words and of the ground; ``inherit`` where the terminal decides."""
    ink, ground = (
        colour.triplet.hex if colour is not None and colour.triplet is not None else "inherit"
        for colour in (style.color, style.bgcolor)
    )
    return (ground, ink) if style.reverse else (ink, ground)
