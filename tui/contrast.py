"""Text that can be read on its ground in every theme: the last thing done to a line before it is painted.

Themes give colours by their names' moods, and what stands on what is known only when a line is drawn; so what is too
faint is corrected there, once for all screens, those of other packages too.
"""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ReturnType
from textual.color import Color as WidgetColour
from textual.filter import LineFilter

from tui.palette import BLACK, WHITE, Colour, between, contrast

LEAST = 4.5  # WCAG 2.2, 1.4.3: contrast of text that is not large
PLACEHOLDER = "\U0010eeee"
SHAPES = " " + "".join(map(chr, range(0x2500, 0x25A0)))  # box drawings and block elements
STEPS = 40  # shares of the way to black or white that are tried


class ContrastFilter(LineFilter):
    """Moves the colour of text as far toward black or white as its ground asks; shapes keep theirs."""

    def apply(self, segments: list[Segment], background: WidgetColour) -> list[Segment]:
        """Return the segments of a line with text that has a contrast of ``LEAST`` at the least."""
        ground = background.rich_color
        return [
            Segment(segment.text, _legible_style(segment.style, ground), segment.control)
            if segment.style is not None and is_text(segment.text)
            else segment
            for segment in segments
        ]


class LegibleApp(App[ReturnType]):
    """An app whose text can be read in every theme; those of ANSI colours leave that to the terminal."""

    _contrast_filter = ContrastFilter()

    def get_line_filters(self) -> list[LineFilter]:
        """Textual's own filters, which settle what is dim, then ours."""
        return [*super().get_line_filters(), self._contrast_filter]


def is_text(text: str) -> bool:
    """Whether a segment has letters or signs: no frame, bar or picture, which are box drawings and blocks.

    A picture by Kitty's protocol is a sign that stands for it, and the sign's colour is the picture's number.
    """
    return bool(text.strip(SHAPES)) and PLACEHOLDER not in text


def legible(ink: Colour, ground: Colour) -> Colour:
    """The colour nearest to ``ink``, on its way to black or white, that can be read on a ground."""
    if contrast(ink, ground) >= LEAST:
        return ink
    brighter = sum(ink) > sum(ground)
    for end in (WHITE, BLACK) if brighter else (BLACK, WHITE):
        if contrast(end, ground) >= LEAST:
            ways = (between((ink, end), step / STEPS) for step in range(1, STEPS + 1))
            return next(way for way in ways if contrast(way, ground) >= LEAST)
    raise AssertionError("black or white can be read on every ground")


@lru_cache(maxsize=1 << 12)
def _legible_style(style: Style, widget_ground: Color) -> Style:
    """A style whose text can be read; as it is where the terminal decides a colour."""
    ink, ground = style.color, style.bgcolor
    ground = widget_ground if ground is None or ground.is_default else ground
    if ink is None or ink.triplet is None or ground.triplet is None:
        return style
    words, behind = (ground.triplet, ink.triplet) if style.reverse else (ink.triplet, ground.triplet)
    moved = legible((words.red, words.green, words.blue), (behind.red, behind.green, behind.blue))
    if moved == words:
        return style
    colour = Color.from_rgb(*moved)
    return style + (Style(bgcolor=colour) if style.reverse else Style(color=colour))
