"""Running out of memory while training as one line that says what would take less."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from lorarar.training.options import LoraOptions, PairOptions
from lorarar.util.errors import TrainingError
from lorarar.util.out_of_memory import out_of_memory_as, what_was_missing

if TYPE_CHECKING:
    from accelerate import Accelerator


def memory_in_one_line(options: object, accelerator: Accelerator) -> AbstractContextManager[None]:
    """Within, with a training's options, running out of memory is a TrainingError that says what would take less."""

    def explain(error: BaseException) -> TrainingError:
        ways = what_takes_less(options, str(accelerator.mixed_precision))
        return TrainingError(f"{what_was_missing(error)} for this training; less is taken by {', '.join(ways)}")

    return out_of_memory_as(explain)


def what_takes_less(options: object, precision: str) -> list[str]:
    """What takes less memory than a training with these options in a mixed precision; first what changes least."""
    batch = getattr(options, "batch", 1)
    ways = [f"batch {batch // 2}"] if batch > 1 else []
    ways += ["precision bf16"] if precision == "no" else []
    if isinstance(options, LoraOptions):
        ways += ["optimiser adamw8bit"] if options.optimiser == "adamw" else []
        ways += [f"rank {options.rank // 2}"] if options.rank > 1 else []
    if isinstance(options, PairOptions):  # which trains at the base's own resolution
        return [*ways, "another device, as cpu"]
    return [*ways, "a smaller resolution"]
