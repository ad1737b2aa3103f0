"""Run items: draw their grids, judge them, and write each one's section as soon as it is there.

A run that is killed and started again goes on: pictures and verdicts are in the database as those of any plan, what is
no picture is kept in the folder of results, and a grid that several items need is done once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from traceback import format_exc
from typing import TYPE_CHECKING, Any

from judge.full_run import judge_all
from judge.judges import Judges
from judge.paper.drawing_help import WORTH, helped
from judge.paper.errors import PaperError
from judge.paper.item import PaperItem
from judge.paper.pace import FIRST_GUESS, PAIR_TRAININGS, Pace, work_of
from judge.paper.page import ResultsPage
from judge.paper.request import PaperRequest
from judge.paper.table import ITEMS
from judge.paper.work import PaperWork
from judge.run_request import RunRequest
from lorarar.util.clock import now
from lorarar.util.cores import cores_of
from lorarar.util.errors import LorarError
from lorarar.util.formatting import count
from lorarar.util.messages import message
from lorarar.version import __version__

if TYPE_CHECKING:
    from lorarar.bench.outcome import GridOutcome
    from lorarar.bench.plan import Plan


@dataclass
class PaperRun:
    """A run of items, with what it has done so far."""

    request: PaperRequest
    pace: Pace = field(default_factory=Pace)
    failures: dict[str, str] = field(default_factory=dict)  # why an item has no section, by its name
    finished: set[str] = field(default_factory=set)  # titles of grids

    def run(self, items: Sequence[PaperItem]) -> None:
        """Make the sections of items; one that fails is said, and the others go on.

        Raises:
            KeyboardInterrupt: Ctrl-C; what was finished is kept.
        """
        plans = self._plans(items)
        for plan in {plan.title: plan for of_item in plans.values() for plan in of_item}.values():
            self.pace.add(work_of(plan))
        self.pace.add({"other": sum(item.seconds for item in items)})
        for number, item in enumerate(items, start=1):
            if item.name in plans:
                message(f"[{number}/{len(items)}] {item.name}, {item.heading} ({self._left()})")
                self._make(item, plans[item.name])

    def _plans(self, items: Sequence[PaperItem]) -> dict[str, Sequence[Plan]]:
        """The grids of each item; an item whose grids cannot be planned fails."""
        plans = {}
        for item in items:
            try:
                plans[item.name] = item.load().plans(self.request)
            except LorarError as error:
                self._fail(item, str(error))
        return plans

    def _make(self, item: PaperItem, plans: Sequence[Plan]) -> None:
        """Do what an item lacks, and write its section."""
        started = time.perf_counter()
        try:
            for plan in plans:
                if plan.title not in self.finished:
                    self._draw(plan)
                    self._judge(plan)
                    self.finished.add(plan.title)
            begun = time.perf_counter()
            section = item.load().section(PaperWork(item.name, self.request))
            self.pace.did("other", item.seconds, item.seconds, time.perf_counter() - begun)
        except LorarError as error:
            self._fail(item, str(error))
            return
        except Exception as error:  # a mistake of this one's: hours of the others do not end with it
            message(format_exc(), "red")
            self._fail(item, f"a mistake in the program, please report it: {error!r}")
            return
        made = self._made(time.perf_counter() - started)
        ResultsPage(self.request.out).put(item.name, section, made, ITEMS)

    def _draw(self, plan: Plan) -> None:
        """Draw what is missing of a grid.

        Raises:
            PaperError: a pair failed.
        """
        from lorarar.bench.run import run_plan
        from lorarar.store import Store

        started, folder = time.perf_counter(), self.request.out / "pictures" / plan.title
        processes = self._processes(plan)
        with (
            Store(self.request.database) as store,
            helped(plan, self.request.database, folder, processes),
        ):
            outcome = run_plan(plan, store, folder, processes=processes)
        self._note(plan, outcome, time.perf_counter() - started)
        if outcome.failures:
            raise PaperError(f"of grid {plan.title} {len(outcome.failures)} pairs failed, as {outcome.failures[0]}")

    def _processes(self, plan: Plan) -> int:
        """How many processes draw a grid: those that are asked for, one alone where there is little to do."""
        seconds = sum(count * FIRST_GUESS[kind] for kind, count in work_of(plan).items() if kind != "judging")
        return self.request.processes if seconds > WORTH else 1

    def _note(self, plan: Plan, outcome: GridOutcome, seconds: float) -> None:
        """Take what a grid took off what is left, its trainings apart, since a grid says them together."""
        planned, new = work_of(plan), outcome.cells - outcome.existing
        done = new * planned["drawing"] / (outcome.cells or 1)
        self.pace.did("drawing", planned["drawing"], done, max(seconds - outcome.seconds["train"], 0) if new else 0)
        for kind in PAIR_TRAININGS:
            self.pace.did(kind, planned[kind], 0, 0)
        words = f"{new} drawn now or shared, {count(outcome.trained, 'pair')} trained here"
        message(f"{plan.title}: {count(outcome.cells, 'picture')}, {words}")

    def _judge(self, plan: Plan) -> None:
        """Judge what is not judged yet of a grid, by the judges of its base and the metrics that it has."""
        started = time.perf_counter()
        choice = PaperWork("", self.request).choice(plan)
        settings = {"device": self.request.device} if self.request.device else {}
        result = judge_all(RunRequest(choice, Judges(settings=settings)))
        planned = work_of(plan)["judging"]
        self.pace.did("judging", planned, planned, time.perf_counter() - started)
        if result.is_empty:
            raise PaperError(f"of grid {plan.title}: {result.shortfall}")

    def _fail(self, item: PaperItem, why: str) -> None:
        self.failures[item.name] = why
        message(f"{item.name}: {why}", "red")

    def _left(self) -> str:
        return f"about {max(self.pace.minutes_left, 1):.0f} min left"

    def _made(self, seconds: float) -> Mapping[str, Any]:
        """What a section was made with."""
        return {
            **self.request.facts,
            "version": __version__,
            "day": now()[:10],
            "seconds": seconds,
            "cores": cores_of(),
        }
