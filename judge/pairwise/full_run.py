"""A whole run about pairs: every critic that is named, or the default one, says which of two pictures is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from judge.brand import brand
from judge.choice import PictureChoice
from judge.judges import Judges
from judge.metrics.table import MARS2
from judge.pair_questions import PairPrompts
from judge.pairwise.cells import Matching, choose_methods, match
from judge.pairwise.power import PairPower
from judge.pairwise.run import check_takes_pairs, judge_pairs
from judge.panel import CriticPanel
from judge.patience import STOP_AFTER
from judge.reasons import print_reasons
from lorarar.util.formatting import count
from lorarar.util.messages import message

if TYPE_CHECKING:
    from judge.outcome import JudgeOutcome
    from judge.targets import Target
    from judge.verdicts import Judge
    from lorarar.store import Store


@dataclass(frozen=True)
class PairRequest:
    """What is to be compared, by whom and how."""

    pictures: PictureChoice
    judges: Judges
    prompts: PairPrompts | None = None  # None: each critic's own
    methods: tuple[str, ...] = ()  # none: all
    stop_after: int = STOP_AFTER  # like failures in a row, after which a critic is given up; 0: never

    def prompts_of(self, critic: str) -> PairPrompts:
        """How a critic of that name is asked; raises as ``Judges.pair_prompts``."""
        return self.judges.pair_prompts(critic, self.prompts)


@dataclass(frozen=True)
class PairRun:
    """What came of a run."""

    matching: Matching
    power: PairPower
    outcomes: dict[str, JudgeOutcome]  # by critic
    judges: dict[str, Judge]  # under which choices are kept, by critic
    brands: Sequence[str]  # why some figures are without worth
    jury: bool  # whether several critics were named
    faults: dict[str, str]  # why members of a jury could not work, by name

    @property
    def members(self) -> list[Judge]:
        """Of a jury, those who were asked."""
        return list(self.judges.values()) if self.jury else []

    @property
    def is_empty(self) -> bool:
        """Whether no question has a clear choice."""
        return not any(one.clear for one in self.outcomes.values())

    @property
    def shortfall(self) -> str:
        """What is missing of a clear choice on every question, and why; empty where nothing is."""
        lacking = {name: outcome.shortfall for name, outcome in self.outcomes.items() if outcome.shortfall}
        if not self.jury:
            return next(iter(lacking.values()), "")
        return "; ".join([*(f"{name}: {words}" for name, words in lacking.items()), *self.faults.values()])

    def record(self) -> dict[str, Any]:
        """The counts under the keys of ``lorarar judge run --json``."""
        counts = {name: {**one.record(), "identical": one.settled} for name, one in self.outcomes.items()}
        counts |= {name: {"error": fault} for name, fault in self.faults.items()}
        return {
            "methods": self.matching.methods,
            "cells": len(self.matching.cells),
            "missing_pictures": dict(self.matching.missing),
            "power": self.power.record(),
            "pairwise": counts,
            "brands": list(self.brands),
        }


def judge_all_pairs(request: PairRequest) -> PairRun:
    """Ask about pairs what is not known yet; what is said meanwhile goes to ``lorarar.util.messages``.

    What the run can find out is said before anything is asked.

    Raises:
        CriticError: the only critic cannot be opened, takes no pairs, or cannot work at all.
        JudgeError: nothing can be compared; no member of a jury can be asked; or a default judge is not here.
        StoreError: the database cannot be opened, or a reply cannot be kept.
        TargetError, FilterError: no pictures are there, or they are of several collections.
        KeyboardInterrupt: Ctrl-C; the replies so far are kept.
    """
    from judge.pairwise.store import PairStore
    from judge.targets import present_targets, report_collection

    pictures, judges = request.pictures, request.judges
    outcomes: dict[str, JudgeOutcome] = {}
    recorded: dict[str, Judge] = {}
    with CriticPanel(judges) as panel:

        def prepare(targets: Sequence[Target]) -> None:
            report_collection(targets)
            choose_methods(targets, request.methods)  # of a folder, the import says which pictures are of one cell
            if not judges.is_jury:
                judges.one_critic(targets)
            judges.check_here(targets, (MARS2,))
            panel.open(targets, request.prompts_of)

        with pictures.open_to_judge(prepare) as (store, chosen, _):
            targets = present_targets(store, _imported(store, pictures, chosen))
            matching = match(targets, request.methods)
            power = PairPower.of(matching.fewest_pairs())
            _describe(matching, power)
            brands = []
            for name in panel.tasks(targets):
                with panel.at_work(name) as critic:
                    check_takes_pairs(critic)
                    prompts, replies = request.prompts_of(str(critic.identity["critic"])), PairStore(store)
                    outcomes[name] = judge_pairs(matching, critic, prompts, replies, request.stop_after)
                    recorded[name] = replies.judge_of(critic.identity, prompts.version)
                    _conclude(outcomes[name], name)
                    brands.append(brand(str(critic.identity["critic"]), [target.base for target in matching.targets]))
    return PairRun(
        matching=matching,
        power=power,
        outcomes=outcomes,
        judges=recorded,
        brands=list(filter(None, dict.fromkeys(brands))),
        jury=judges.is_jury,
        faults=dict(panel.faults.by_name),
    )


def _imported(store: Store, pictures: PictureChoice, targets: Sequence[Target]) -> Sequence[Target]:
    """The pictures; those of a folder as its collection shows them, which is brought up to date."""
    from judge.targets import plain_collection
    from lorarar.imports.request import import_folder

    if pictures.generated is None or pictures.references is None:
        return targets
    import_folder(store, pictures.generated, pictures.references)
    return plain_collection(store, targets, pictures.generated)


def _describe(matching: Matching, power: PairPower) -> None:
    """Say what is compared, what is missing, and what the run can find out."""
    message(f"{count(len(matching.cells), 'pair')} of pictures of {', '.join(matching.methods)}, each in both orders")
    for method, cells in matching.missing.items():
        message(f"{method} has no picture of {count(cells, 'cell')}, which are left out for it", "yellow")
    message(f"Power: {power.sentence}")


def _conclude(outcome: JudgeOutcome, critic: str) -> None:
    message(
        f"pairs by {critic}: {outcome.questions} questions, {outcome.existing} were known, {outcome.settled} of "
        f"pictures that are alike, {outcome.replies} asked, {outcome.failed} failed, {outcome.unparsed} unparsed"
    )
    print_reasons(outcome.reasons)
