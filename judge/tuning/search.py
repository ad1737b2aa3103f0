"""The search: rounds of pictures, each an ordinary plan that is drawn and judged, until its budget is used up.

Nothing is kept of a search but its pictures and what was said of them. Started again, it deals out the same rounds, of
which all is there that was finished; so it goes on where it was.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from judge.tuning.budget import Budget
from judge.tuning.errors import TuningError
from judge.tuning.proposals import propose
from judge.tuning.referee import Referee
from judge.tuning.request import Tuning
from judge.tuning.rounds import RoundPlanner, SearchRound
from lorarar.util.digest import digest_of_facts
from lorarar.util.formatting import count, number
from lorarar.util.messages import message

if TYPE_CHECKING:
    from judge.tuning.merits import Merit
    from judge.tuning.settings import Setting
    from lorarar.bench.plan import Plan
    from lorarar.store import Store


@dataclass
class Search:
    """A search at work."""

    tuning: Tuning
    referee: Referee
    store: Store
    out: Path  # the folder of its pictures
    plans: list[Plan] = field(default_factory=list)  # its rounds so far
    tried: dict[str, Setting] = field(default_factory=dict)  # by the names of their rows
    merits: dict[str, Merit] = field(default_factory=dict)  # of those that have a figure, the best first
    failures: dict[str, str] = field(default_factory=dict)  # why a row could not be drawn, by its name
    waits_for: str = ""  # what has to happen before it can go on

    def __post_init__(self) -> None:
        request, space = self.tuning.request, self.tuning.space
        cells = self.tuning.confirmation_plan([space.starts[0]])
        after = 2 * cells.pair_count * len(cells.pictures.seeds)
        self.budget = Budget(request.pictures, request.minutes, after)
        self.planner = RoundPlanner(request.pictures or 0, len(space.starts), self.tuning.cells)
        if request.pictures is not None:
            self.planner.check()

    @property
    def picture_count(self) -> int:
        """How many pictures the search has dealt out."""
        return sum(self.planner.counts.values())

    @property
    def settings(self) -> list[Setting]:
        """The settings that have a figure, the best first."""
        return [self.tried[row] for row in self.merits]

    def run(self) -> None:
        """Search until the budget is used up, or until something has to happen first.

        Raises:
            TuningError: no setting could be drawn, or has any figure.
            LorarError: as of drawing and judging.
            KeyboardInterrupt: Ctrl-C; what was finished is kept.
        """
        while not self.waits_for and (made := self._next()) is not None:
            self._play(made)
        if not self.waits_for and not self.merits:
            why = next(iter(self.failures.values()), "no picture has any figure")
            raise TuningError(f"nothing came of the search: {why}")

    def draw(self, plan: Plan) -> tuple[int, float]:
        """Draw a plan and note which of its rows could not be.

        Returns:
            How many pictures were drawn now, and when that began.
        """
        from lorarar.bench.run import run_plan

        started = time.monotonic()
        outcome = run_plan(plan, self.store, self.out)
        for failure in outcome.failures:
            row = failure.partition(",")[0]
            if row not in self.failures:
                message(f"Left out: {failure}", "yellow")
            self.failures[row] = failure
        if len(outcome.failures) >= len(plan.methods) * plan.pair_count:
            raise TuningError(f"nothing could be drawn: {outcome.failures[0]}")
        return outcome.generated, started

    def _next(self) -> SearchRound | None:
        self.planner.pictures = self.budget.allows(self.picture_count, self.planner.least)
        return self.planner.next([row for row in self.merits if row not in self.failures])

    def _play(self, made: SearchRound) -> None:
        """Draw and judge a round."""
        settings = self._settings(made)
        if not settings:
            return
        new = {one.name: one for one in settings}
        self.tried |= new
        plan = self.tuning.search_plan(len(self.plans) + 1, settings, made.cells)
        self._tell(made, settings)
        pictures, started = self.draw(plan)
        self.plans.append(plan)
        self.waits_for = self.referee.hear(plan)
        self.budget.note(pictures, time.monotonic() - started)
        self.planner.note(made, new)
        self.merits = self.referee.merits(self.plans)

    def _settings(self, made: SearchRound) -> list[Setting]:
        """The settings of a round."""
        space = self.tuning.space
        if made.kind == "more":
            return [self.tried[row] for row in made.rows]
        if made.kind == "start":
            return [one for one in space.starts if one.name not in self.tried][: made.count]
        worst = min(one.value for one in self.merits.values())
        told = {one: self.merits[row].value if row in self.merits else worst for row, one in self.tried.items()}
        facts = {"seed": self.tuning.seed, "title": self.tuning.title, "round": len(self.plans)}
        return propose(space.within(self.tried.values()), told, made.count, int(digest_of_facts(facts)[:8], 16))

    def _tell(self, made: SearchRound, settings: list[Setting]) -> None:
        """Say what a round is about to do, and how much is left."""
        kind = {"start": "to begin with", "new": "new", "more": "that lead"}[made.kind]
        budget = f"{self.picture_count} of {self.planner.pictures} pictures so far"
        pace = self.budget.pace
        left = (self.planner.pictures - self.picture_count + self.budget.after) * pace if pace else None
        time_left = f", some {max(1, round(left / 60))} minutes left" if left is not None else ""
        best = next(iter(self.merits.items()), None)
        leads = f"; {best[0]} leads, {number(best[1].value, 2)}" if best else ""
        message(
            f"Round {len(self.plans) + 1}: {count(len(settings), 'setting')} {kind}, {made.cells} pictures each "
            f"({budget}{time_left}){leads}"
        )
