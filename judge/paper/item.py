"""An item of the paper: a table, a figure or a question of it that one command answers; a row of ``ITEMS``.

The row says all that a list of items says. What the item does is in a module of its own, which is named by its place
and loaded when the item runs: its grids as plans, and a function that makes the section of what they came to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from judge.paper.request import PaperRequest
    from judge.paper.section import PaperSection
    from judge.paper.work import PaperWork
    from lorarar.bench.plan import Plan


class ItemModule(Protocol):
    """What the module of an item has."""

    def plans(self, request: PaperRequest) -> Sequence[Plan]:
        """The grids that the item needs; those that other items need too are drawn and judged once."""

    def section(self, work: PaperWork) -> PaperSection:
        """The section, made of what was drawn and judged."""


@dataclass(frozen=True)
class PaperItem:
    """One table, figure or question."""

    name: str  # by which it is asked for: ``table-1``
    title: str  # what it is about, in half a sentence
    of: str  # which table, figure or question of the paper
    needs: str  # what it takes, in half a sentence
    minutes: float  # that it takes alone on two cores with nothing there yet, by the paces of ``judge.paper.pace``
    module: str  # the place of the module with ``plans`` and ``section``
    order: float = 100  # its place among the others
    any_base: bool = False  # whether it is for any base, or for Pocket alone
    any_network: bool = False  # whether it is for any hypernetwork of Pocket, or for the one that is shipped
    seconds: float = 0.0  # of these, what it takes beside drawing and judging its grids
    in_all: bool = True  # whether ``all`` means it too, or it has to be named

    @property
    def heading(self) -> str:
        """What its section is headed with."""
        return f"{self.of}: {self.title}"

    def load(self) -> ItemModule:
        """Its module."""
        return cast("ItemModule", import_module(self.module))
