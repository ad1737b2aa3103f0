"""People as the goal of a search: a small A/B study a round, and the next round by what they preferred.

A round's study is an ordinary one: it is voted on in the studies' own screens, on the page or by packets, and reported
as any other. The search goes on when enough people have finished it. Simulated raters are asked where that is said;
their votes are marked, told as theirs, and never mixed with people's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from judge.tuning.referee import Bench, Goal, Outcomes

if TYPE_CHECKING:
    from judge.tuning.comparisons import Comparison
    from judge.tuning.merits import Merit
    from lorarar.bench.plan import Plan
    from lorarar.store import Store
    from studies.store import Study

LONGEST = 64  # letters of a study's name
ITEMS = 30  # of a round's study at most, where the pictures allow them
SIMULATED_RATERS = 4  # where simulated ones are asked, and nothing says how many
SEED = 0  # of simulated raters

GOAL = Goal(
    "people",
    "preferred",
    "which of two pictures people find better: lorarar tune --human",
    "studies.tuning:PeopleReferee",
    order=3,
    bounds=(-1, 1),
)


class PeopleReferee:
    """People, or simulated raters, who say which of two pictures is better."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.simulated = bench.told.get("simulate") is not None
        self._studies: list[str] = []  # of this search, by name

    @property
    def facts(self) -> Mapping[str, Any]:
        """The studies, and whether people voted in them."""
        note = "Simulated raters, not people: they follow what MARS2 says, through noise." if self.simulated else ""
        return {"studies": list(self._studies), "simulated": self.simulated, "note": note}

    def hear(self, plan: Plan) -> str:
        """Make the study of a plan's pictures; how to vote in it, as long as too few have.

        Raises:
            StudyError: the pictures allow no study.
        """
        from lorarar.store import Store
        from studies.simulate import simulate
        from studies.store import RaterStore, StudyStore

        if self.simulated and self.bench.singles is not None:
            self.bench.singles(plan)
        with Store(self.bench.db) as store:
            study = _study(store, plan)
            if study is None:
                return ""
            self._studies = list(dict.fromkeys([*self._studies, study.name]))
            raters = int(self.bench.told.get("raters") or 1)
            if self.simulated:
                there = len(RaterStore(store, study).simulated())
                wanted = max(raters, SIMULATED_RATERS)
                if there < wanted:
                    simulate(store, study.name, wanted - there, float(self.bench.told["simulate"]), SEED)
                return ""
            finished = _finished(StudyStore(store), study)
        if finished >= raters:
            return ""
        name = study.name
        return (
            f"{finished} of {raters} have finished this round's study; vote with lorarar study run {name}, or let "
            f"others with lorarar study serve {name}, then give the same command again"
        )

    def merits(self, plans: Sequence[Plan]) -> dict[str, Merit]:
        """How good rows are by all votes on them, within a round and over rounds: Bradley-Terry with ties."""
        from judge.tuning.comparisons import strengths

        return strengths(one for plan in plans for one in self._votes(plan))

    def levels(self, plan: Plan, row: str) -> Outcomes:
        """None: a picture is better than another, not good by itself."""
        del plan, row
        return {}

    def differences(self, plan: Plan, one: str, other: str) -> Outcomes:
        """The mean vote of each comparison of two rows: 1 where all prefer the first, -1 where all the other."""
        from judge.tuning.goals.reading import outcomes

        signs = {(one, other): 1, (other, one): -1}
        by_cell: dict[Any, list[float]] = {}
        for vote in self._votes(plan):
            if (sign := signs.get((vote.one, vote.other))) is not None:
                by_cell.setdefault(vote.cell, []).append(sign * vote.value)
        return outcomes((cell, sum(votes) / len(votes)) for cell, votes in by_cell.items())

    def _votes(self, plan: Plan) -> Iterator[Comparison]:
        """The votes on a plan's pictures, of people or of simulated raters, without attention checks and repeats."""
        from judge.tuning.comparisons import Comparison
        from judge.tuning.merits import SharedCell
        from lorarar.store.opening import open_for_reading
        from studies.reports.standing_votes import standing_votes
        from studies.store import StudyStore

        with open_for_reading(self.bench.db) as store:
            studies = StudyStore(store)
            if (name := study_of(plan.title)) not in studies.names():
                return
            study = studies.get(name)
            votes = [vote for vote in standing_votes(studies, study, self.simulated) if vote.purpose == "plain"]
        for vote in votes:
            origin, methods = study.origins[vote.item], study.item_methods[vote.item]
            cell = SharedCell((origin.subject, origin.style), vote.item)
            yield Comparison(methods[0], methods[1], cell, float(vote.leaning), vote.rater)


def study_of(title: str) -> str:
    """The name of the study of a plan of that title."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", title)[-LONGEST:].lstrip("-._")


def _study(store: Store, plan: Plan) -> Study | None:
    """The study of a plan, which is made where it is not there; None of a plan of one row, with nothing to compare."""
    from lorarar.store.queries import collection_pictures
    from studies.creation.create import StudyRequest, new_study
    from studies.errors import StudyError
    from studies.rules import StudyRules
    from studies.store import StudyStore

    studies, name = StudyStore(store), study_of(plan.title)
    with store.reading() as database:
        rows = {row.row for row in collection_pictures(database, plan.collection)}
    methods = tuple(row.row_name for row in plan.methods if row.row_name in rows)
    if len(methods) < 2:
        return None
    if name in studies.names():
        there = studies.get(name)
        if there.methods != methods:
            raise StudyError(f"the study {name} is of other settings; close or delete it: lorarar study delete {name}")
        return there
    most = len(methods) * (len(methods) - 1) // 2 * plan.pair_count * len(plan.pictures.seeds)
    request = StudyRequest(
        name=name,
        kind="ab",
        methods=methods,
        scenario="random",
        items=min(ITEMS, most),
        images=f"plan={plan.title}",
        rules=StudyRules(pairing="seed"),
    )
    try:
        return new_study(store, request)
    except StudyError:  # some comparisons are of pictures that look the same
        from dataclasses import replace

        return new_study(store, replace(request, items=None))


def _finished(studies: Any, study: Study) -> int:
    """How many people answered everything of a study."""
    from lorarar.util.grouping import group_by
    from studies.reports.standing_votes import is_finished, standing_votes

    by_rater = group_by(standing_votes(studies, study, simulated=False), lambda vote: vote.rater)
    return sum(is_finished(study, votes) for votes in by_rater.values())
