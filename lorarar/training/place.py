"""Where a training runs and in which numbers: what is asked of the machine, and what it then is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from lorarar.util.errors import TrainingError
from lorarar.util.libraries import minor_versions
from lorarar.util.suggestion import did_you_mean

if TYPE_CHECKING:
    import torch
    from accelerate import Accelerator, PartialState

Surroundings = Mapping[str, object]  # of a training: what decides it beside inputs and options
Precision = Literal["no", "fp16", "bf16"]  # of the mixed precision; no: all in float32
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


@dataclass(frozen=True)
class TrainingPlace:
    """What is asked of the machine; None leaves it to what there is.

    Raises:
        TrainingError: an unknown precision.
    """

    device: str | None = None  # cpu, cuda, cuda:1 or mps; else a GPU if there is one
    precision: Precision | None = None  # else by the device

    def __post_init__(self) -> None:
        if self.precision is not None and self.precision not in PRECISIONS:
            near = did_you_mean(self.precision, PRECISIONS)
            raise TrainingError(f"--precision is {self.precision!r}; accepted are {', '.join(PRECISIONS)}{near}")

    def accelerator(self) -> Accelerator:
        """The device in that precision, and the processes that accelerate has launched.

        Raises:
            BaseError: this machine has no such device.
            TrainingError: the device does not train in the precision, or this process trains elsewhere already.
        """
        from accelerate import Accelerator

        state = _state(self.device)
        precision = self.precision or _configured() or default_precision(state.device)
        if precision == "fp16" and state.device.type == "cpu":
            raise TrainingError("--precision is 'fp16', in which no CPU trains; accepted there are no, bf16")
        try:
            return Accelerator(mixed_precision=precision, cpu=state.device.type == "cpu")
        except ValueError as error:
            if "already been initialized" in str(error):
                raise _elsewhere(f"--precision {precision}") from None
            raise TrainingError(f"--precision {precision}: {error}") from None


ANY_PLACE = TrainingPlace()


def default_precision(device: torch.device) -> Precision:
    """The mixed precision of a device: bf16 on a GPU, fp16 on one that has no bf16, none anywhere else."""
    import torch

    if device.type != "cuda":
        return "no"
    return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"


def surroundings(accelerator: Accelerator) -> dict[str, object]:
    """What decides a training beside its inputs and options: the numbers, the kind of device, the libraries.

    And how many processes share each step, where several do: so many are as large a batch.
    """
    several = {"processes": accelerator.num_processes} if accelerator.num_processes > 1 else {}
    return {
        "precision": accelerator.mixed_precision,
        "device": accelerator.device.type,
        "versions": minor_versions(),
        **several,
    }


def _configured() -> str | None:
    """The precision of accelerate's own configuration; what it has where nobody configured any is no choice."""
    import os

    configured = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    return configured if configured in ("fp16", "bf16") else None


def _state(device: str | None) -> PartialState:
    """Device and processes, for the device that was asked for."""
    import torch
    from accelerate import PartialState
    from accelerate.utils import parse_flag_from_env

    from lorarar.generation.bases import drawing_device

    place = None if device is None else torch.device(drawing_device(device))
    if place is not None and place.type == "cuda" and place.index is not None:
        torch.cuda.set_device(place)
    state = PartialState(cpu=place.type == "cpu" if place else parse_flag_from_env("ACCELERATE_USE_CPU"))
    if place is not None and place.type != state.device.type:
        raise _elsewhere(f"--device {device}")
    if place is not None and place.index is not None and state.num_processes > 1:
        raise TrainingError(f"--device is {device!r}, but each of {state.num_processes} processes has a GPU of its own")
    return state


def _elsewhere(flag: str) -> TrainingError:
    return TrainingError(f"{flag} is another place than this process trains in already; start another process for it")
