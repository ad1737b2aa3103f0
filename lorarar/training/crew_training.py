"""What trainings by workers have in common: a file that comes back, or a state from which one goes on.

Ctrl-C has every worker end its step and send its state, so that the next run goes on inside what was begun. Of a worker
that dies nothing is left: another begins its training anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lorarar.training.lora_bytes import write_lora
from lorarar.training.options import Optimiser
from lorarar.training.place import Surroundings, TrainingPlace, surroundings
from lorarar.util.files import is_there
from lorarar.workers.errors import WorkersError
from lorarar.workers.job import Job
from lorarar.workers.parcel import Parcel
from lorarar.workers.workbench import Workbench


@dataclass(frozen=True)
class TrainingBytes:
    """What comes back of a training."""

    file: bytes | None = field(repr=False)  # the result; None where it was stopped
    state: bytes | None = field(default=None, repr=False)  # then where it was
    samples: tuple[tuple[str, bytes], ...] = field(
        default=(), repr=False
    )  # pictures that were drawn meanwhile, by name
    seconds: float = 0.0

    def write(self, path: Path, checkpoint: Path) -> bool:
        """Write the result, or the state beside it; whether it is the result.

        Raises:
            AdapterError: it cannot be written.
        """
        if self.file is not None:
            write_lora(self.file, path)
            checkpoint.unlink(missing_ok=True)
        elif self.state is not None:
            write_lora(self.state, checkpoint)
        return self.file is not None


def state_parcel(checkpoint: Path) -> Parcel | None:
    """The state of a training that was stopped before; None where there is none."""
    return Parcel.of(checkpoint) if is_there(checkpoint) else None


def trained_bytes(
    train: Callable[[], None], path: Path, checkpoint: Path, state: Parcel | None, bench: Workbench
) -> TrainingBytes:
    """Train on a worker, from a state if there is one, and return what came of it.

    Args:
        train: writes ``path``, and the state to ``checkpoint``.
        path: of the result, on the worker.
        checkpoint: of the state, on the worker.
        state: of a training that was stopped before.
        bench: the worker's.
    """
    if state is not None:
        bench.copy(state, checkpoint)
    else:
        checkpoint.unlink(missing_ok=True)
    try:
        train()
        return TrainingBytes(path.read_bytes())
    except KeyboardInterrupt:
        return TrainingBytes(None, checkpoint.read_bytes() if is_there(checkpoint) else None)
    finally:
        path.unlink(missing_ok=True)
        checkpoint.unlink(missing_ok=True)


def check_surroundings(ours: Surroundings, first: Surroundings) -> None:
    """Refuse a worker that trains otherwise than the first.

    Raises:
        WorkersError: it does.
    """
    if others := [f"{name} {ours.get(name)}" for name in first if ours.get(name) != first[name]]:
        raise WorkersError(
            f"a worker trains with another {', '.join(others)} than the first; have the same everywhere, or name "
            "--device and --precision"
        )


@dataclass(frozen=True)
class TrainingSurroundingsJob(Job[Surroundings]):
    """Find out what decides a training on a worker beside its inputs and options."""

    place: TrainingPlace
    optimisers: tuple[Optimiser, ...] = ()

    def run(self, bench: Workbench) -> Iterator[Surroundings]:
        from lorarar.training.optimisers import check_optimiser

        accelerator = self.place.accelerator()
        for optimiser in self.optimisers:
            check_optimiser(optimiser, accelerator.device)
        yield surroundings(accelerator)
