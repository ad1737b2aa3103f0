"""Checkpoints: the state of a training in a file, with all that decides the training.

Invariant: a training goes on from its own checkpoint alone, and ends in the bits in which it would have ended
unbroken.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from lorarar.util.digest import differing
from lorarar.util.errors import TrainingError, reason
from lorarar.util.files import replacing

if TYPE_CHECKING:
    from torch.amp.grad_scaler import GradScaler

    from lorarar.training.loop import TrainingRun

_ANEW = "remove it to start anew"


@dataclass(frozen=True)
class TrainingCheckpoint:
    """The file of a training's state."""

    path: Path
    makings: Mapping[str, object]  # all that decides the training but its number of steps
    steps: int  # of the whole training
    longer: bool = True  # whether a training of more steps may go on: where no step depends on their number
    scaler: GradScaler | None = None  # of gradients in half precision

    def save(self, run: TrainingRun) -> None:
        """Write the state of a training, whole or not at all.

        Raises:
            TrainingError: it cannot be written.
        """
        parts = {
            "makings": json.dumps(self.makings),
            "steps": self.steps,
            "step": run.step,
            "seconds": run.seconds,
            "weights": {name: p.detach() for name, p in run.weights.items()},
            "average": run.average,
            "optimizer": run.optimizer.state_dict(),
            "scaler": self.scaler.state_dict() if self.scaler else {},
        }
        try:
            with replacing(self.path) as partial:
                torch.save(parts, partial)
        except (OSError, RuntimeError) as error:  # torch says a full disk as the latter
            raise TrainingError(f"cannot write checkpoint {self.path}: {reason(error)}") from None

    @torch.no_grad()
    def load(self, run: TrainingRun) -> None:
        """Let a training that has just started go on from the file.

        Raises:
            TrainingError: it cannot be read, or is another training's.
        """
        parts = self._read()
        self._check(parts, run)
        for name, parameter in run.weights.items():
            parameter.copy_(parts["weights"][name])
        for name, mean in run.average.items():
            mean.copy_(parts["average"].get(name, parts["weights"][name]))
        run.optimizer.load_state_dict(parts["optimizer"])
        if self.scaler and parts["scaler"]:
            self.scaler.load_state_dict(parts["scaler"])
        run.step, run.seconds = int(parts["step"]), float(parts["seconds"])

    def _read(self) -> dict[str, Any]:
        try:
            parts: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, OSError, EOFError):
            raise TrainingError(f"{self.path} cannot be read as a checkpoint; {_ANEW}") from None
        if not isinstance(parts, dict) or "makings" not in parts:
            raise TrainingError(f"{self.path} does not say which training it is of; {_ANEW}")
        return parts

    def _check(self, parts: Mapping[str, Any], run: TrainingRun) -> None:
        """Refuse the state of another training."""
        names = differing(json.loads(json.dumps(self.makings)), json.loads(parts["makings"]))
        shorter = self.steps < parts["steps"]
        if shorter or (self.steps > parts["steps"] and not self.longer):
            names.append("steps")
        if names:
            raise TrainingError(f"{self.path} is the checkpoint of another training, by {', '.join(names)}; {_ANEW}")
        if {n: p.shape for n, p in parts["weights"].items()} != {n: p.shape for n, p in run.weights.items()}:
            raise TrainingError(f"{self.path} was written by a training of other parameters; {_ANEW}")
