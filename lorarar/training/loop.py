"""One resumable training loop on accelerate, for every model this project trains.

Invariant: what step ``i`` draws depends on ``(seed, i)`` alone, and on the process where each draws for itself, so a
run that was killed and started again sees the same data as an unbroken one; a checkpoint needs no generator state.
The price is that there is no epoch: batches are drawn with replacement by the objective itself.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from lorarar.training.checkpoint import TrainingCheckpoint
from lorarar.training.clipping import clip_gradients
from lorarar.training.finite import check_gradient, check_loss, check_weights
from lorarar.training.member_checkpoints import MemberCheckpoints, MemberState
from lorarar.training.optimisers import new_optimizer
from lorarar.training.options import Optimiser
from lorarar.training.place import surroundings
from lorarar.training.share import Share
from lorarar.util.interrupts import held_interrupt
from lorarar.util.progress import Ticker

_BITS = 2**63 - 1  # of a step's own seed, as in the trainings that went before


@dataclass(frozen=True)
class Schedule:
    """Length and rates of a training, and how often it writes a checkpoint."""

    steps: int
    rate: float  # peak learning rate
    seed: int = 0
    warmup: int = 0  # steps of linear warm-up
    decay: float = 1.0  # share of the steps, at the end, over which the rate falls to zero; 0 keeps it constant
    weight_decay: float = 0.01
    clip: float = 1.0  # largest gradient norm
    ema: float = 0.0  # decay of the moving average of weights; 0 keeps none
    save_every: int = 500  # steps between checkpoints
    optimiser: Optimiser = "adamw"

    def rate_at(self, step: int) -> float:
        """The learning rate at a step, counted from 0: linear warm-up, and a half cosine down over the decay."""
        warm = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        falling = self.decay * self.steps
        fallen = max(0.0, 1 - (self.steps - step) / falling) if falling else 0.0
        cosine = 0.5 * (1 + math.cos(math.pi * fallen))
        return self.rate * warm * max(cosine, 1e-3)

    def facts(self) -> dict[str, object]:
        """What of it decides a training beside the number of steps; of what is newer, what is not as it ever was."""
        rates = asdict(self)
        for name in ("steps", "save_every", *(("optimiser",) if self.optimiser == "adamw" else ())):
            del rates[name]
        return rates


class Objective(nn.Module):
    """A module to train: its ``forward(*batch)`` is the loss of one batch.

    It may be of several trainings at once, its members: then each of its parameters is theirs one above another, along
    a first dimension of its own, the loss is the sum of theirs, and each is clipped by the norm of its own gradient.
    """

    members: int = 1

    def batch(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Draw one batch; all its randomness comes from ``generator``."""
        raise NotImplementedError

    def share_of_step(self, generator_of: Callable[[int], torch.Generator], share: Share) -> tuple[Tensor, ...]:
        """What this process takes of a step: a batch of its own, unless the objective divides one among them.

        Args:
            generator_of: the step's generator of a process, by the process's number.
            share: which process this is, of how many.
        """
        return self.batch(generator_of(share.index))

    def trained(self) -> dict[str, nn.Parameter]:
        """The parameters to train, by name."""
        return {name: p for name, p in self.named_parameters() if p.requires_grad}


@dataclass
class TrainingRun:
    """A training in progress, or a finished one: the state that a ``TrainingCheckpoint`` holds."""

    weights: dict[str, nn.Parameter]
    average: dict[str, Tensor]  # moving average of the weights; empty where none is kept
    optimizer: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0  # spent training, over all of its runs

    def check(self) -> None:
        """Refuse weights that are not finite.

        Raises:
            TrainingError: some are not.
        """
        check_weights(self.weights, self.step)
        check_weights(self.average, self.step)

    def result(self) -> dict[str, Tensor]:
        """The trained weights by name: the moving average, if one is kept."""
        return {name: p.detach().clone() for name, p in (self.average or self.weights).items()}


def train(
    objective: Objective,
    schedule: Schedule,
    checkpoint: Path | None = None,
    *,
    title: str,
    makings: Mapping[str, object] | None = None,
    members: Sequence[MemberState] = (),
    accelerator: Accelerator | None = None,
    on_step: Callable[[int, float], None] | None = None,
    on_run: Callable[[TrainingRun], None] | None = None,
) -> TrainingRun:
    """Train until ``schedule.steps`` and put the result into the objective.

    Args:
        objective: the module and its loss.
        schedule: length and rates.
        checkpoint: a file that is written every ``schedule.save_every`` steps and when interrupted; if it exists,
            training goes on from it.
        title: name in the progress display.
        makings: what decides the training beside the schedule and the accelerator; only the checkpoint of an equal
            one is taken up.
        members: of an objective of several trainings the state of each, instead of one of them all.
        accelerator: device, precision and processes; by default what accelerate finds.
        on_step: called after every step with its number and its loss.
        on_run: called after every step with the run as it is then, in the main process.

    Returns:
        The finished run, with the seconds it took over all its starts.

    Raises:
        TrainingError: the checkpoint is another training's, or loss, gradient or weights are no longer finite, of which
            nothing is written.
        KeyboardInterrupt: Ctrl-C, after the step in progress and its checkpoint.
    """
    accelerator = accelerator or Accelerator()
    with _left_as_it_was(accelerator, objective):
        model, run = _start(objective, schedule, accelerator)
        state = _state(checkpoint, schedule, makings or {}, members, accelerator)
        if state is not None and state.is_there:
            state.load(run)
        is_main = accelerator.is_main_process
        with Ticker(title, schedule.steps, run.step, show=is_main) as ticker, held_interrupt() as stop:
            for loss in _steps(run, objective, model, schedule, accelerator):
                ticker.advance(loss=loss)
                if on_step:
                    on_step(run.step, loss)
                if on_run and is_main:
                    on_run(run)
                due = run.step % schedule.save_every == 0 or run.step == schedule.steps or stop()
                if due and state is not None and is_main:
                    state.save(run)
                if stop():
                    raise KeyboardInterrupt
    run.check()
    with torch.no_grad():
        for name, tensor in run.result().items():
            run.weights[name].copy_(tensor)
    return run


def pick(generator: torch.Generator, count: int, size: int) -> Tensor:
    """``size`` indices below ``count``, drawn with replacement."""
    return torch.randint(count, (size,), generator=generator)


def _state(
    checkpoint: Path | None,
    schedule: Schedule,
    makings: Mapping[str, object],
    members: Sequence[MemberState],
    accelerator: Accelerator,
) -> TrainingCheckpoint | MemberCheckpoints | None:
    """What a training's state is kept in; None where it is not kept."""
    if members:
        files = [_checkpoint(one.path, schedule, one.makings, accelerator) for one in members]
        return MemberCheckpoints(files, schedule)
    return None if checkpoint is None else _checkpoint(checkpoint, schedule, makings, accelerator)


def _checkpoint(
    path: Path, schedule: Schedule, makings: Mapping[str, object], accelerator: Accelerator
) -> TrainingCheckpoint:
    """The checkpoint of a training, known by all that decides it."""
    options = makings.get("options")
    inputs = {name: value for name, value in options.items() if name != "steps"} if isinstance(options, dict) else None
    facts = {
        **makings,
        "options": inputs,
        "schedule": schedule.facts(),
        "processes": accelerator.num_processes,
        **surroundings(accelerator),
    }
    return TrainingCheckpoint(path, facts, schedule.steps, longer=not schedule.decay, scaler=accelerator.scaler)


@contextmanager
def _left_as_it_was(accelerator: Accelerator, objective: Objective) -> Iterator[None]:
    """Within, a training prepares and scales; after it, the accelerator keeps nothing of it.

    An accelerator keeps all that it has prepared, so that a grid of pairs would hold every pair's model to its end, and
    a scale that one pair ends with would be where the next begins. ``free_memory`` would let go of the former, after a
    search of all objects that takes longer than a small training.
    """
    scale = accelerator.scaler.state_dict() if accelerator.scaler else {}
    try:
        yield
    finally:
        accelerator._models.clear()
        accelerator._optimizers.clear()
        if accelerator.scaler and scale:
            accelerator.scaler.load_state_dict(scale)
        for name in ("forward", "_original_forward", "_is_accelerate_prepared"):  # the first two refer to the objective
            vars(objective).pop(name, None)


def _start(objective: Objective, schedule: Schedule, accelerator: Accelerator) -> tuple[nn.Module, TrainingRun]:
    """The objective on the accelerator's device, and its run before the first step; the average lies there too."""
    weights = objective.trained()
    model, optimizer = accelerator.prepare(objective, new_optimizer(schedule, weights.values()))
    average = {name: p.detach().clone() for name, p in weights.items()} if schedule.ema else {}
    return model, TrainingRun(weights=weights, average=average, optimizer=optimizer)


def _steps(
    run: TrainingRun, objective: Objective, model: nn.Module, schedule: Schedule, accelerator: Accelerator
) -> Iterator[float]:
    """Take the steps that are left; after each comes its loss."""
    share = Share(accelerator.process_index, accelerator.num_processes)
    while run.step < schedule.steps:
        started = time.perf_counter()
        batch = objective.share_of_step(partial(_generator, schedule.seed, run.step), share)
        loss = _take_step(run, schedule, model, batch, accelerator, objective.members)
        run.seconds += time.perf_counter() - started
        yield loss


def _take_step(
    run: TrainingRun,
    schedule: Schedule,
    model: nn.Module,
    batch: tuple[Tensor, ...],
    accelerator: Accelerator,
    members: int,
) -> float:
    """Take one step down the gradient of a batch's loss; returns the loss, the mean of its members'."""
    _set_rate(run.optimizer, schedule.rate_at(run.step))
    loss = model(*batch)
    check_loss(value := float(loss.detach()), run.step)
    accelerator.backward(loss)
    norm = clip_gradients(list(run.weights.values()), schedule.clip, members, accelerator)
    check_gradient(norm, run.step, accelerator.scaler)
    run.optimizer.step()
    run.optimizer.zero_grad(set_to_none=True)
    run.step += 1
    _follow(run.average, run.weights, min(schedule.ema, run.step / (run.step + 9)))
    return value / members


def _generator(seed: int, step: int, process: int) -> torch.Generator:
    return torch.Generator().manual_seed(((seed * 1_000_003 + step) * 257 + process) & _BITS)


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


@torch.no_grad()
def _follow(average: dict[str, Tensor], weights: dict[str, nn.Parameter], decay: float) -> None:
    if average:
        torch._foreach_lerp_(list(average.values()), [weights[name].detach() for name in average], 1 - decay)
