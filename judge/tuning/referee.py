"""What a search goes by: a goal is a row of ``GOALS``, and a referee is one at work on a search's pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Protocol, cast

from judge.tuning.merits import Merit

if TYPE_CHECKING:
    from pathlib import Path

    from judge.judges import Judges
    from lorarar.bench.plan import Plan
    from lorarar.store.queries import Pair

Outcomes = Mapping["Pair", Sequence[float]]  # one number a seed, in the order of seeds


@dataclass(frozen=True)
class Bench:
    """Where a referee works: the database, who judges there, and what else the goal was told."""

    db: Path | None
    judges: Judges
    goal: str  # its name
    told: Mapping[str, Any] = field(default_factory=dict)
    singles: Callable[[Plan], object] | None = None  # what has MARS2 judge a plan's pictures, for what follows it


class Referee(Protocol):
    """Says which settings are better, by their pictures in the database."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """Who said so, as the header of the merged LoRA has it."""

    def hear(self, plan: Plan) -> str:
        """Find out what is not known yet of a plan's pictures.

        Returns:
            What has to happen first; empty where that is nothing.
        """

    def merits(self, plans: Sequence[Plan]) -> dict[str, Merit]:
        """How good each row of these plans is, the best first; a row without any figure is left out."""

    def levels(self, plan: Plan, row: str) -> Outcomes:
        """How good a row's pictures are in themselves; nothing where they are compared with others alone."""

    def differences(self, plan: Plan, one: str, other: str) -> Outcomes:
        """By how much one row's pictures are better than another's of the same cells."""


@dataclass(frozen=True)
class Goal:
    """What is searched for; a row of ``GOALS``."""

    name: str  # as ``--goal`` has it
    title: str  # of its figure
    help: str  # what it is, in half a sentence
    place: str  # ``module:function`` of what makes its referee of a ``Bench``
    order: float = 100  # its place among the others
    bounds: tuple[float, float] | None = None  # between which each difference lies; None: none are known
    places: int = 2  # after the decimal point of its figure

    def referee(self, bench: Bench) -> Referee:
        """Its referee, at work in a database."""
        make = cast("Callable[[Bench], Referee]", resolve_name(self.place))
        return make(bench)
