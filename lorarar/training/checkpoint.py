"""Checkpoints: the state of a training in a file, with all that decides the training.

Invariant: a training goes on from its own checkpoint alone, and ends in the bits in which it would have ended
unbroken.
"""

from __future__ import annotations

import json
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
_PARTS: Mapping[str, type | tuple[type, ...]] = {
    "makings": dict,
    "steps": int,
    "step": int,
    "seconds": (int, float),
    "weights": dict,
    "average": dict,
    "optimizer": dict,
    "scaler": dict,
}


@dataclass(frozen=True)
class TrainingCheckpoint:
    """The file of a training's state."""

    path: Path
    makings: Mapping[str, object]  # all that decides the training but its number of steps
    steps: int  # of the whole training
    longer: bool = True  # whether a training of more steps may go on: where no step depends on their number
    scaler: GradScaler | None = None  # of gradients in half precision

    @property
    def is_there(self) -> bool:
        """Whether there is a state to go on from."""
        return self.path.exists()

    def save(self, run: TrainingRun) -> None:
        """Write the state of a training, whole or not at all.

        Raises:
            TrainingError: it cannot be written, or has weights that are not finite, which nobody could go on from.
        """
        run.check()
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
        parts = _read(self.path)
        self._check(parts, run)
        try:  # the optimizer, which checks what it is given, comes before the weights
            run.optimizer.load_state_dict(parts["optimizer"])
            if self.scaler and parts["scaler"]:
                self.scaler.load_state_dict(parts["scaler"])
        except Exception as error:  # of a file that anybody may have written: whatever torch says of it
            raise TrainingError(f"{self.path} has no state of this training: {reason(error)}; {_ANEW}") from None
        for name, parameter in run.weights.items():
            parameter.copy_(parts["weights"][name])
        for name, mean in run.average.items():
            mean.copy_(parts["average"].get(name, parts["weights"][name]))
        run.step, run.seconds = int(parts["step"]), float(parts["seconds"])

    def _check(self, parts: Mapping[str, Any], run: TrainingRun) -> None:
        """Refuse the state of another training."""
        names = differing(json.loads(json.dumps(self.makings)), parts["makings"])
        shorter = self.steps < parts["steps"]
        if shorter or (self.steps > parts["steps"] and not self.longer):
            names.append("steps")
        if names:
            raise TrainingError(f"{self.path} is the checkpoint of another training, by {', '.join(names)}; {_ANEW}")
        ours = {name: parameter.shape for name, parameter in run.weights.items()}
        theirs, average = ({n: p.shape for n, p in parts[part].items()} for part in ("weights", "average"))
        if theirs != ours or average.items() - ours.items():
            raise TrainingError(f"{self.path} was written by a training of other parameters; {_ANEW}")


def step_of(path: Path) -> int:
    """The step that the state in a file has reached; 0 without one.

    Raises:
        TrainingError: it is no checkpoint.
    """
    return int(_read(path)["step"]) if path.exists() else 0


def _read(path: Path) -> dict[str, Any]:
    """The parts of a checkpoint's file, each of its kind; the makings as facts.

    Raises:
        TrainingError: it is no checkpoint.
    """
    try:
        parts = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # a broken pickle raises whatever its bytes lead to
        raise TrainingError(f"{path} cannot be read as a checkpoint; {_ANEW}") from None
    try:
        makings = json.loads(parts["makings"])
    except (KeyError, IndexError, TypeError, ValueError, RecursionError):
        raise TrainingError(f"{path} does not say which training it is of; {_ANEW}") from None
    parts = {**parts, "makings": makings}
    wrong = [name for name, kind in _PARTS.items() if not isinstance(parts.get(name), kind)]
    tensors = [tensor for name in ("weights", "average") if name not in wrong for tensor in parts[name].values()]
    if wrong or not all(isinstance(tensor, torch.Tensor) for tensor in tensors):
        raise TrainingError(f"{path} is no whole checkpoint ({', '.join(wrong) or 'tensors'}); {_ANEW}")
    return parts
