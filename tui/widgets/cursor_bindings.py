"""Keys that move a cursor by a cell: the arrows and vi's, for widgets with an action ``move(right, down)``."""

from __future__ import annotations

from textual.binding import Binding

CURSOR_BINDINGS = (
    Binding("left,h", "move(-1, 0)", "Left", show=False),
    Binding("right,l", "move(1, 0)", "Right", show=False),
    Binding("up,k", "move(0, -1)", "Up", show=False),
    Binding("down,j", "move(0, 1)", "Down", show=False),
)
