"""How pictures are drawn in this terminal: ``--images``.

textual-image asks the terminal what it can do when it is imported, which must happen before the app owns the
terminal; so ``choose`` is called first of all.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Literal, get_args

from lorarar.util.errors import LorarError

if TYPE_CHECKING:
    from textual.widget import Widget

Mode = Literal["auto", "kitty", "sixel", "half", "none"]
MODES: tuple[Mode, ...] = get_args(Mode)


class AppError(LorarError):
    """Something the app was asked for that it cannot do."""

    title = "lorarar-tui"


@dataclass(frozen=True)
class Drawing:
    """The way pictures are drawn."""

    name: str  # kitty, sixel, half, none: what is really in use
    widget: type[Widget] | None  # None: names instead of pictures
    cell: tuple[int, int]  # pixels of a cell, width and height, 0 where unknown; half cells show 1 x 2

    @property
    def pixels_a_cell(self) -> tuple[int, int]:
        """How many pixels of a picture one cell shows."""
        return (1, 2) if self.name == "half" else self.cell


def choose(mode: str) -> Drawing:
    """What ``--images`` means in this terminal.

    Raises:
        AppError: an unknown mode.
    """
    if mode not in MODES:
        raise AppError(f"--images is {mode!r}; accepted are {', '.join(MODES)}")
    if mode == "none":
        return Drawing("none", None, (8, 16))
    with _unasked() if mode == "half" else nullcontext():
        from textual_image._terminal import get_cell_size
        from textual_image.widget import SixelImage, TGPImage

        from tui.widgets.half_cells import HalfCells

        size = get_cell_size()
    widgets: dict[str, type[Widget]] = {"kitty": TGPImage, "sixel": SixelImage, "half": HalfCells}
    name = mode if mode != "auto" else _best()
    return Drawing(name, widgets[name], (0, 0) if mode == "half" else (size.width, size.height))


@contextmanager
def _unasked() -> Iterator[None]:
    """Ask the terminal nothing: where half cells are asked for, it may not answer, which costs 0.1 s a question."""
    terminal, sys.__stdout__ = sys.__stdout__, StringIO()  # type: ignore[misc, assignment]
    try:
        yield
    finally:
        sys.__stdout__ = terminal  # type: ignore[misc]


def _best() -> str:
    """What textual-image found; its coarsest way, without colours, is never better than half cells."""
    from textual_image.renderable import Image
    from textual_image.renderable.sixel import Image as Sixel
    from textual_image.renderable.tgp import Image as Kitty

    return {Sixel: "sixel", Kitty: "kitty"}.get(Image, "half")
