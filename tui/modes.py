"""The app's modes: this table gives their keys, the tabs of the top line and the screens they open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.screen import Screen

    from tui.context import AppContext


@dataclass(frozen=True)
class Mode:
    """A screen that a key opens from everywhere."""

    key: str
    name: str  # in actions and in the remembered state
    title: str
    screen: str  # a class in the module of ``tui.screens`` that has the mode's name

    def open(self, context: AppContext) -> Screen[None]:
        """Make the screen; its module loads only now, so that the first paint waits for no other mode."""
        module = import_module(f"tui.screens.{self.name}")
        screen: Screen[None] = getattr(module, self.screen)(context)
        return screen


MODES: Sequence[Mode] = (
    Mode("1", "matrix", "Matrix", "MatrixScreen"),
    Mode("2", "scores", "Scores", "ScoresScreen"),
    Mode("3", "blend", "Blend", "BlendScreen"),
    Mode("4", "study", "Study", "StudyScreen"),
    Mode("5", "agreement", "Agreement", "AgreementScreen"),
)
NAMES = tuple(mode.name for mode in MODES)
