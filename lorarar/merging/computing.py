"""Where a merge is computed: its inputs are put on a device, and what comes of them is brought back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from typing import Any

import torch

from lorarar.lora.adapter import Adapter, Factors
from lorarar.merging.methods import MergeInputs, MergeResult
from lorarar.merging.threads import threads_for
from lorarar.util.errors import MethodError
from lorarar.util.out_of_memory import out_of_memory_as, what_was_missing

CPU = "cpu"
Compute = Callable[[Sequence[Adapter], MergeInputs, Mapping[str, Any]], MergeResult]  # a method's ``run``


def compute(
    run: Compute, adapters: Sequence[Adapter], inputs: MergeInputs, options: Mapping[str, Any], device: str = CPU
) -> MergeResult:
    """What a method makes of adapters, computed on a device; the result lies where they lie.

    Raises:
        MethodError: the device has too little memory, or lacks an operation.
    """
    largest = max(prod(factors.shape) for one in adapters for factors in one.layers.values())
    with threads_for(largest), _in_one_line(device):
        if device == CPU:
            return run(adapters, inputs, options)
        there = [replace(one, layers=_put(one.layers, device)) for one in adapters]
        result = run(there, inputs, _put(options, device))
        layers, coefficients = _put(result.layers, CPU), _put(result.coefficients, CPU)
        return replace(result, layers=layers, coefficients=coefficients)


@contextmanager
def _in_one_line(device: str) -> Iterator[None]:
    """Within, a device that has too little memory, or cannot compute something, is an error of one line."""
    ways = "close what else is running" if device == CPU else "--device cpu takes the machine's own"

    def explain(error: BaseException) -> MethodError:
        return MethodError(f"{what_was_missing(error)} for this merge; {ways}")

    with out_of_memory_as(explain):
        try:
            yield
        except (NotImplementedError, TypeError) as error:
            if device == CPU:
                raise
            raise MethodError(f"{device} cannot compute this merge ({error}); --device cpu can") from None


def _put(value: Any, device: str) -> Any:
    """A value with all tensors in it on a device: factors, networks, and mappings and sequences of such."""
    match value:
        case torch.Tensor() | torch.nn.Module():
            return value.to(device)
        case Factors():
            return Factors(value.down.to(device), value.up.to(device))
        case Mapping():
            return {name: _put(one, device) for name, one in value.items()}
        case tuple():
            return tuple(_put(one, device) for one in value)
        case _:
            return value
