"""What voting needs: a terminal, colours, pictures large enough to judge; looked at before anything is painted."""

from __future__ import annotations

import os
import shutil
from itertools import count
from typing import TYPE_CHECKING

from lorarar.pictures.images import read_size
from studies.rater.votes import LEAST_COLOURS, LEAST_PIXELS
from tui.picture_mode import AppError, PictureMode, terminal_colours
from tui.voting.arrangement import Size, arrange, picture_pixels

if TYPE_CHECKING:
    from studies.rater.session import Session

ROWS_BESIDE = 4  # of a trial's screen that are not for pictures: the question, two for the answers, the keys
LARGEST_WINDOW = 10  # times the present one; a larger one is not proposed


def check_size(session: Session, picture_mode: PictureMode) -> None:
    """Refuse to vote where the pictures of the next trial would be too small to judge.

    Raises:
        AppError: they would.
    """
    if (trial := session.current()) is not None:
        window = shutil.get_terminal_size()
        pictures = len(trial.options), read_size(trial.options[0])
        if words := smallness((window.columns, window.lines), *pictures, picture_mode):
            others = "" if picture_mode.name in ("kitty", "sixel") else ", or vote where --images kitty or sixel works"
            raise AppError(words + others)


def smallness(window: Size, options: int, picture: Size, picture_mode: PictureMode) -> str:
    """Why pictures are too small to judge by, and what to do; empty where they are not, or where that is unknown.

    Args:
        window: columns and rows.
        options: how many pictures a trial asks about.
        picture: width and height of one in pixels.
        picture_mode: how they are shown.
    """
    width, height = option_pixels(window, options, picture, picture_mode)
    if min(width, height) >= LEAST_PIXELS or 0 in picture_mode.pixels_a_cell:
        return ""
    enough = _large_enough(window, options, picture, picture_mode)
    larger = f"make the window larger (some {enough[0]} x {enough[1]}; it has {window[0]} x {window[1]})"
    return f"a picture would have {width} x {height} pixels here, and needs {LEAST_PIXELS} a side: {larger}"


def option_pixels(window: Size, options: int, picture: Size, picture_mode: PictureMode) -> Size:
    """Width and height in pixels of an option's picture in a trial in a window of columns and rows."""
    room = window[0], window[1] - ROWS_BESIDE
    return picture_pixels(arrange(room, options, picture, picture_mode).option, picture, picture_mode)


def _large_enough(window: Size, options: int, picture: Size, picture_mode: PictureMode) -> Size:
    """The least window, of about the shape of this one, in which pictures are large enough."""
    for twentieths in count(21):
        larger = window[0] * twentieths // 20, window[1] * twentieths // 20
        if (
            min(option_pixels(larger, options, picture, picture_mode)) >= LEAST_PIXELS
            or twentieths > 20 * LARGEST_WINDOW
        ):
            return larger
    raise AssertionError


def check_colours() -> None:
    """Refuse to vote where the colours of pictures would be others.

    Raises:
        AppError: the terminal has too few.
    """
    colours = terminal_colours()
    if colours < LEAST_COLOURS:
        remedy = "unset NO_COLOR" if "NO_COLOR" in os.environ else "set TERM to what it is, as xterm-256color"
        raise AppError(f"this terminal shows {colours or 'no'} colours, and pictures need {LEAST_COLOURS}: {remedy}")
