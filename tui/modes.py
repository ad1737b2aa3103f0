"""The app's screens: this table gives their keys, their tabs, what is remembered of them, and where they lie.

A screen of another package joins by an entry point of the group ``lorarar.screens`` whose object is a ``Mode``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from lorarar.util.registry import Registry

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.context import AppContext

#: A screen's own keys are others, so that none of them hides a screen's.
KEYS = (*"1234567890", *(f"f{number}" for number in range(1, 13)))

TITLE = 20  # characters of a title that are shown


@dataclass(frozen=True)
class Mode:
    """A screen that a key opens from everywhere."""

    key: str  # a digit or a function key
    name: str  # in actions and in the remembered state
    title: str  # on its tab
    place: str  # "module:Class"; nothing of the screen loads before it is opened

    def open(self, context: AppContext) -> Screen[None]:
        """Make the screen; its module loads only now, so that the first paint waits for no other mode."""
        module, _, name = self.place.partition(":")
        screen: Screen[None] = getattr(import_module(module), name)(context)
        return screen


def check_mode(mode: Mode, others: Mapping[str, Mode]) -> None:
    """Refuse a screen of another package that nobody could open.

    Raises:
        ValueError: its key is taken or no key for screens, its name cannot be one, or it lies nowhere.
    """
    if mode.key not in KEYS:
        raise ValueError(f"its key is {mode.key!r}; accepted are digits and f1 to f12")
    if owner := next((other for other in others.values() if other.key == mode.key), None):
        raise ValueError(f"its key {mode.key} opens {owner.title}")
    if not mode.name.isidentifier():
        raise ValueError(f"its name is {mode.name!r}; accepted are letters, digits and _")
    if not all(mode.place.partition(":")):
        raise ValueError(f"its place is {mode.place!r}; accepted is module:Class")


MODES = Registry(
    "lorarar.screens",
    Mode,
    (
        Mode("1", "matrix", "Matrix", "tui.screens.matrix:MatrixScreen"),
        Mode("2", "scores", "Scores", "tui.screens.scores:ScoresScreen"),
        Mode("3", "blend", "Blend", "tui.screens.blend:BlendScreen"),
        Mode("4", "study", "Study", "tui.screens.study:StudyScreen"),
        Mode("5", "agreement", "Agreement", "tui.screens.agreement:AgreementScreen"),
    ),
    check=check_mode,
)
FIRST = next(iter(MODES.own))
