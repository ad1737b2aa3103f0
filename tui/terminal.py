"""What the app needs of the terminal it starts in, looked at before anything is painted."""

from __future__ import annotations

import sys

from tui.picture_mode import AppError


def check_terminal() -> None:
    """Refuse to start where keys do not come from a terminal or pictures would not go to one.

    Raises:
        AppError: stdin, stdout or stderr is something else.
    """
    streams = {"stdin": sys.__stdin__, "stdout": sys.__stdout__, "stderr": sys.__stderr__}
    others = [name for name, stream in streams.items() if stream is None or not stream.isatty()]
    if others:
        what = f"{others[0]} is no terminal" if len(others) == 1 else f"{' and '.join(others)} are no terminals"
        raise AppError(f"{what}; start this in one, without a pipe or a file beside it")
