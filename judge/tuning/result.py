"""What a search came to: the setting, its figures on fresh seeds, its page and its merged LoRA."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judge.tuning.confirmation import Confirmation, confirm, front_runners
from judge.tuning.goals.mars2 import Mars2Referee
from judge.tuning.goals.reading import open_pictures
from judge.tuning.goals.table import goal_named
from judge.tuning.merged import write_merges
from judge.tuning.search import Search
from lorarar.util.formatting import count, interval, number

if TYPE_CHECKING:
    from judge.reports.report import JudgeReport
    from judge.tuning.referee import Bench, Referee
    from judge.tuning.request import Tuning
    from lorarar.store import Store

SHOWN = 12  # settings that a page names with their figures


@dataclass(frozen=True)
class TuneResult:
    """A search that came to its end."""

    search: Search
    confirmation: Confirmation
    referee: Referee
    db: Path | None

    @property
    def facts(self) -> dict[str, Any]:
        """How the setting was found, as the header of the merged LoRA says it."""
        request, outcome = self.search.tuning.request, self.confirmation
        return {
            "goal": request.goal,
            "search": {"pictures": self.search.picture_count, "settings": len(self.search.tried)},
            "seeds": {"search": self._seeds(self.search.plans[-1]), "confirmation": self._seeds(outcome.plan)},
            "pairs": self.search.tuning.pairs,
            "value": self.search.merits[outcome.leader.name].value,
            "confirmation": outcome.record(),
            **self.referee.facts,
        }

    @property
    def sentences(self) -> list[str]:
        """What came out, for people."""
        outcome, goal = self.confirmation, goal_named(self.search.tuning.request.goal)
        level = outcome.levels.get(outcome.leader.name)
        figure = f", {goal.title} {interval(level, goal.places)}" if level else ""
        first = (
            f"Best: {outcome.leader.words}{figure} on {count(self._cell_count, 'cell')} that the search did not see."
        )
        lead = [note, first] if (note := str(self.referee.facts.get("note", ""))) else [first]
        if outcome.plain is None:
            return lead
        ahead = "It is ahead of" if outcome.is_ahead else "It is not told apart from"
        beside = f"{outcome.plain.words}, by {interval(outcome.difference, goal.places, signed=True)}"
        kind = "the best plain method" if self.search.tuning.space.is_plain(outcome.plain) else "the next best"
        return [*lead, f"{ahead} {kind}, {beside}."]

    @property
    def _cell_count(self) -> int:
        return len(self.confirmation.plan.pictures.seeds) * self.confirmation.plan.pair_count

    def record(self) -> dict[str, Any]:
        """The result under the keys of ``lorarar tune --json``."""
        tried, merits = self.search.tried, self.search.merits
        return {
            "title": self.search.tuning.title,
            "setting": self.confirmation.leader.facts,
            "flags": self.confirmation.leader.flags,
            **self.facts,
            "tried": [
                {"name": row, **tried[row].facts, "value": merit.value, "pictures": merit.pictures}
                for row, merit in merits.items()
            ],
            "failures": list(self.search.failures.values()),
        }

    def write_page(self, folder: Path) -> Path:
        """Write the page with the front-runners' pictures.

        Raises:
            ImageError, JudgeError: it cannot be written.
        """
        from judge.reports.gallery import write_gallery

        return write_gallery(self._report(), folder / f"{self.search.tuning.title}.html", self._notes)

    def write_merges(self, out: Path, store: Store) -> list[Path]:
        """Write the merged LoRA, or those of all pairs; where they are.

        Raises:
            AdapterError, MethodError, OutputError: it cannot be merged or written.
        """
        return write_merges(self.search.tuning, self.confirmation.leader, self.facts, out, store)

    @property
    def _notes(self) -> list[str]:
        """What the page says of the search."""
        search, merits = self.search, self.search.merits
        leaders = [
            f"{search.tried[row].words}: {number(one.value, 2)} by {count(one.pictures, 'picture')}"
            for row, one in list(merits.items())[:SHOWN]
        ]
        pictures, tried = count(search.picture_count, "picture"), count(len(search.tried), "setting")
        lead = f"Searched by {pictures} of {tried} for {search.tuning.request.goal}; these led: {'; '.join(leaders)}."
        failed = [f"Left out: {failure}" for failure in search.failures.values()]
        return [*self.sentences, lead, f"As flags: {' '.join(self.confirmation.leader.flags)}", *failed]

    def _report(self) -> JudgeReport:
        """The pictures of the front-runners, with the verdicts that there are on them."""
        from judge.choice import PictureChoice
        from judge.metrics.scores import ScoreStore
        from judge.pictures import JudgedTargets
        from judge.reports.report import unjudged_report
        from judge.reports.request import ReportRequest, read_report
        from judge.verdicts import VerdictStore

        plan = self.confirmation.plan
        order = [row.row_name for row in plan.methods]
        if numbers := getattr(self.referee, "numbers", ()):
            choice = PictureChoice(self.db, f"plan={plan.title}")
            report = read_report(ReportRequest(choice, judges=tuple(numbers)))
        else:
            with open_pictures(self.db, [plan]) as (store, targets):
                why = f"Searched for {self.search.tuning.request.goal}; MARS2 was not asked here"
                report = unjudged_report(JudgedTargets(targets, VerdictStore(store)), ScoreStore(store), "method", why)
        pictures = sorted(report.pictures, key=lambda one: (order.index(one.target.row), one.target.seed or 0))
        return replace(report, pictures=pictures)

    @staticmethod
    def _seeds(plan: Any) -> list[int]:
        """The first and the last of a plan's seeds."""
        return [plan.pictures.seeds[0], plan.pictures.seeds[-1]]


def tune(tuning: Tuning, bench: Bench, store: Store, out: Path) -> TuneResult | str:
    """Search, then confirm what came of it.

    Args:
        tuning: the search.
        bench: who says what is better.
        store: the database, open to write.
        out: the folder of pictures.

    Returns:
        The result; or what has to happen before the search can go on.

    Raises:
        LorarError: nothing can be drawn or judged.
        KeyboardInterrupt: Ctrl-C; what was finished is kept, and the search goes on there when it is started again.
    """
    goal = goal_named(tuning.request.goal)
    referee = goal.referee(replace(bench, singles=Mars2Referee(bench).hear))
    search = Search(tuning, referee, store, out)
    search.run()
    if search.waits_for:
        return search.waits_for
    settings, plain = front_runners(search)
    plan = tuning.confirmation_plan(settings)
    search.draw(plan)
    if waits_for := referee.hear(plan):
        return waits_for
    return TuneResult(search, confirm(search, goal, referee, plan, plain), referee, bench.db)
