"""How this terminal shows pictures: ``--images``.

The terminal is asked what it can do before the app owns it; so ``choose`` is called first of all.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, cast, get_args

from lorarar.util.errors import LorarError
from lorarar.util.picture_protocol import cell_size, picture_library, picture_protocol
from lorarar.util.suggestion import did_you_mean

if TYPE_CHECKING:
    from textual.widget import Widget

Choice = Literal["auto", "kitty", "sixel", "half", "none"]
CHOICES: tuple[Choice, ...] = get_args(Choice)


MODE_NAMES = {"half": "half cells", "none": "no pictures"}
TRUE_COLOURS = 256  # from which on pictures are told by their colours; of Sixel, as many at a time


class AppError(LorarError):
    """The app cannot do what was asked of it."""

    title = "lorarar-tui"


@dataclass(frozen=True)
class PictureMode:
    """A way to show pictures in a terminal."""

    name: str  # kitty, sixel, half, none: the way that is really in use
    widget: type[Widget] | None  # None: names instead of pictures
    cell: tuple[int, int]  # pixels of a cell, width and height, 0 where unknown; half cells show 1 x 2
    colours: int | None = None  # that a picture is shown in, 0 for greys; None where unknown

    @property
    def label(self) -> str:
        """How pictures are shown, in words; that their colours are not what they are is said."""
        words = MODE_NAMES.get(self.name, self.name)
        if self.widget is None or self.colours is None or self.colours >= TRUE_COLOURS:
            return words
        return f"{words} in greys (NO_COLOR)" if self.colours == 0 else f"{words} in {self.colours} colours"

    @property
    def pixels_a_cell(self) -> tuple[int, int]:
        """How many pixels of a picture one cell shows, across and down."""
        return (1, 2) if self.name == "half" else self.cell


def choose(choice: str) -> PictureMode:
    """The picture mode that a value of ``--images`` means in this terminal.

    Raises:
        AppError: the value is unknown.
    """
    check_choice(choice)
    if choice == "none":
        return PictureMode("none", None, (8, 16))
    name = choice if choice != "auto" else picture_protocol()
    cell = cell_size(ask=choice != "half")
    return PictureMode(name, _widget(name), (0, 0) if choice == "half" else cell, _colours(name))


def _widget(name: str) -> type[Widget]:
    """What shows a picture in this way; nothing of the others is loaded."""
    if name == "kitty":
        picture_library()  # before the widgets, which ask the terminal where it is not there
        from textual_image.widget import TGPImage

        return cast("type[Widget]", TGPImage)
    if name == "sixel":
        picture_library()
        from tui.sixels import Sixels

        return Sixels
    from tui.half_cells import HalfCells

    return HalfCells


def check_choice(choice: str) -> None:
    """Refuse a value of ``--images`` that is none.

    Raises:
        AppError: it is unknown.
    """
    if choice not in CHOICES:
        raise AppError(f"--images is {choice!r}; accepted are {', '.join(CHOICES)}{did_you_mean(choice, CHOICES)}")


@cache  # the app takes NO_COLOR out of the environment when it starts
def terminal_colours() -> int:
    """How many colours this terminal has, as the app finds it out; 0 for none, as where NO_COLOR is set."""
    from rich.console import Console
    from textual.constants import COLOR_SYSTEM

    if "NO_COLOR" in os.environ:
        return 0
    # what it would write to does not matter: it is asked, not printed on
    system = Console(stderr=True, color_system=COLOR_SYSTEM, force_terminal=True).color_system  # type: ignore[arg-type]
    return {"truecolor": 256**3, "256": 256, "standard": 16, "windows": 16}.get(system or "", 0)


def _colours(name: str) -> int:
    """How many colours a picture is shown in: of a graphics protocol, where the terminal has some of its own."""
    return (
        {"kitty": 256**3, "sixel": 256}.get(name, terminal_colours())
        if terminal_colours() >= 256
        else terminal_colours()
    )
