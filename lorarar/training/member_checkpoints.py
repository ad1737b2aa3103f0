"""The states of trainings that are taken in one, each in a file of its own, as one that trains alone has it.

Invariant: who goes on from such a file, alone or in a group of whatever others, ends in the same numbers but for
rounding. So a group that was killed need not come together again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from lorarar.training.checkpoint import TrainingCheckpoint
from lorarar.training.optimisers import new_optimizer
from lorarar.util.errors import TrainingError

if TYPE_CHECKING:
    from lorarar.training.loop import Schedule, TrainingRun


class MemberState(NamedTuple):
    """Where one training of several keeps its state."""

    path: Path
    makings: Mapping[str, object]  # all that decides it; the state of another one is refused


@dataclass(frozen=True)
class MemberCheckpoints:
    """The files of the members of a training, in their order."""

    files: Sequence[TrainingCheckpoint]
    schedule: Schedule

    @property
    def is_there(self) -> bool:
        """Whether any member has a state to go on from."""
        return any(file.is_there for file in self.files)

    def save(self, run: TrainingRun) -> None:
        """Write the state of every member, each whole or not at all.

        Raises:
            TrainingError: one cannot be written, or has weights that are not finite.
        """
        state = run.optimizer.state_dict()
        for place, (file, member) in enumerate(zip(self.files, self._members(run), strict=True)):
            weights = list(run.weights.values())
            own = {number: _of_member(weights[number], of, place) for number, of in state["state"].items()}
            member.optimizer.load_state_dict({**state, "state": own})
            file.save(member)

    @torch.no_grad()
    def load(self, run: TrainingRun) -> None:
        """Let a training that has just started go on where all of its members are.

        Raises:
            TrainingError: a file cannot be read or is another training's, or members are at different steps.
        """
        members = list(self._members(run))
        for file, member in zip(self.files, members, strict=True):
            if file.is_there:
                file.load(member)
        if len({member.step for member in members}) > 1:
            raise TrainingError(f"{self.files[0].path} and others are at different steps; train them one by one")
        states = [member.optimizer.state_dict() for member in members]
        together = {number: _together([state["state"][number] for state in states]) for number in states[0]["state"]}
        run.optimizer.load_state_dict({**states[0], "state": together})
        for name, weight in run.weights.items():
            weight.copy_(torch.stack([member.weights[name] for member in members]))
        for name, mean in run.average.items():
            mean.copy_(torch.stack([member.average[name] for member in members]))
        run.step, run.seconds = members[0].step, sum(member.seconds for member in members)

    def _members(self, run: TrainingRun) -> Iterator[TrainingRun]:
        """Each member as a run of its own, with a fresh optimiser and its share of the time."""
        for place in range(len(self.files)):
            weights = {name: nn.Parameter(weight.detach()[place].clone()) for name, weight in run.weights.items()}
            yield replace(
                run,
                weights=weights,
                average={name: mean[place].clone() for name, mean in run.average.items()},
                optimizer=new_optimizer(self.schedule, weights.values()),
                seconds=run.seconds / len(self.files),
            )


def _of_member(weight: Tensor, state: Mapping[str, Any], place: int) -> dict[str, Any]:
    """What an optimiser keeps of one member's part of a weight; what is not as large as the weight is all members'."""
    return {
        name: value[place].clone() if isinstance(value, Tensor) and value.shape == weight.shape else value
        for name, value in state.items()
    }


def _together(states: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What an optimiser keeps of a weight of all members: the other way round."""
    return {
        name: torch.stack([state[name] for state in states]) if isinstance(value, Tensor) and value.dim() else value
        for name, value in states[0].items()
    }
