"""One resumable training loop on accelerate, for every model this project trains.

Invariant: what step ``i`` draws depends on ``(seed, i, process)`` alone, so a run that was killed and
started again sees the same data as an unbroken one; a checkpoint needs no generator state.
The price is that there is no epoch: batches are drawn with replacement by the objective itself.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from lorarar.errors import TrainingError
from lorarar.files import replacing
from lorarar.interrupts import held_interrupt
from lorarar.progress import Ticker


@dataclass(frozen=True)
class Plan:
    """How long and how fast to train."""

    steps: int
    rate: float  # peak learning rate
    seed: int = 0
    warmup: int = 0  # steps of linear warm-up
    decay: bool = True  # cosine to zero; False keeps the rate constant
    weight_decay: float = 0.01
    clip: float = 1.0  # largest gradient norm
    ema: float = 0.0  # decay of the moving average of weights; 0 keeps none
    save_every: int = 500  # steps between checkpoints

    def rate_at(self, step: int) -> float:
        """Learning rate at a step."""
        warm = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        cosine = 0.5 * (1 + math.cos(math.pi * step / self.steps)) if self.decay else 1.0
        return self.rate * warm * max(cosine, 1e-3)


class Objective(nn.Module):
    """What is trained: a module whose ``forward(*batch)`` is the loss of one batch."""

    def batch(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Draw one batch; all its randomness comes from ``generator``."""
        raise NotImplementedError

    def trained(self) -> dict[str, nn.Parameter]:
        """The parameters to train, by name."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}


def train(
    objective: Objective,
    plan: Plan,
    checkpoint: Path | None = None,
    *,
    title: str,
    accelerator: Accelerator | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> dict[str, Tensor]:
    """Train until ``plan.steps`` and return the trained weights by name (the moving average if one is kept).

    A ``checkpoint`` file is written every ``plan.save_every`` steps and when interrupted; if it exists,
    training goes on from it.

    Raises:
        TrainingError: the checkpoint belongs to other parameters, or the loss is no longer finite.
    """
    accelerator = accelerator or Accelerator()
    weights = objective.trained()
    optimizer = torch.optim.AdamW(weights.values(), lr=plan.rate, weight_decay=plan.weight_decay, betas=(0.9, 0.99))
    model, optimizer = accelerator.prepare(objective, optimizer)
    average = {name: p.detach().clone() for name, p in weights.items()} if plan.ema else {}
    start = _load(checkpoint, weights, optimizer, average)
    with Ticker(title, plan.steps, start, show=accelerator.is_main_process) as ticker, held_interrupt() as interrupted:
        for step in range(start, plan.steps):
            _set_rate(optimizer, plan.rate_at(step))
            loss = model(*objective.batch(_generator(plan.seed, step, accelerator.process_index)))
            value = _finite(float(loss.detach()), step)
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(list(weights.values()), plan.clip)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            _follow(average, weights, min(plan.ema, (step + 1) / (step + 10)))
            ticker.advance(loss=value)
            if on_step:
                on_step(step, value)
            if (step + 1) % plan.save_every == 0 or step + 1 == plan.steps or interrupted():
                _save(checkpoint, step + 1, weights, optimizer, average, accelerator)
            if interrupted():
                raise KeyboardInterrupt
    return {name: p.detach().clone() for name, p in (average or weights).items()}


@torch.no_grad()
def load_trained(objective: Objective, weights: dict[str, Tensor]) -> None:
    """Put what ``train`` returned into the objective's modules."""
    for name, parameter in objective.trained().items():
        parameter.copy_(weights[name])


def pick(generator: torch.Generator, count: int, size: int) -> Tensor:
    """``size`` indices below ``count``, drawn with replacement."""
    return torch.randint(count, (size,), generator=generator)


def _generator(seed: int, step: int, process: int) -> torch.Generator:
    return torch.Generator().manual_seed((seed * 1_000_003 + step) * 257 + process)


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


@torch.no_grad()
def _follow(average: dict[str, Tensor], weights: dict[str, nn.Parameter], decay: float) -> None:
    if average:
        torch._foreach_lerp_(list(average.values()), [weights[name].detach() for name in average], 1 - decay)


def _finite(loss: float, step: int) -> float:
    if not math.isfinite(loss):
        raise TrainingError(f"the loss is {loss} at step {step}; try a lower learning rate")
    return loss


def _save(
    path: Path | None,
    step: int,
    weights: dict[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    average: dict[str, Tensor],
    accelerator: Accelerator,
) -> None:
    if path is None or not accelerator.is_main_process:
        return
    parts = {
        "step": step,
        "weights": {name: p.detach() for name, p in weights.items()},
        "optimizer": optimizer.state_dict(),
        "average": average,
    }
    with replacing(path) as partial:
        torch.save(parts, partial)


def _load(
    path: Path | None,
    weights: dict[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    average: dict[str, Tensor],
) -> int:
    """Restore a checkpoint and return the step to go on from; 0 where there is none."""
    if path is None or not path.exists():
        return 0
    try:
        parts = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, OSError, EOFError):
        raise TrainingError(f"{path} cannot be read as a checkpoint; remove it to start anew") from None
    if {n: p.shape for n, p in parts["weights"].items()} != {n: p.shape for n, p in weights.items()}:
        raise TrainingError(f"{path} was written by a training of other parameters; remove it to start anew")
    with torch.no_grad():
        for name, parameter in weights.items():
            parameter.copy_(parts["weights"][name])
        for name, mean in average.items():
            mean.copy_(parts["average"].get(name, parts["weights"][name]))
    optimizer.load_state_dict(parts["optimizer"])
    return int(parts["step"])
