"""Where a merge is computed: its inputs are put on a device, and what comes of them is brought back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from typing import Any

import torch

from lorarar.lora.adapter import Adapter, Factors
from lorarar.merging.coefficients import CoefficientSet, change_all
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
        result = run(_put(tuple(adapters), device), inputs, _put(options, device))
        layers, coefficients, sides = (_put(of, CPU) for of in (result.layers, result.coefficients, result.sides))
        return replace(result, layers=layers, coefficients=coefficients, sides=sides)


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
    """A value with all tensors in it on a device: factors, adapters, networks, and mappings and sequences of such."""
    placed = value
    match value:
        case torch.Tensor() | torch.nn.Module():
            placed = value.to(device)
        case Factors():
            placed = Factors(value.down.to(device), value.up.to(device))
        case Adapter():
            placed = replace(value, layers=_put(value.layers, device))
        case CoefficientSet():
            placed = change_all(value, lambda pair: _put(pair, device))
        case Mapping():
            placed = {name: _put(one, device) for name, one in value.items()}
        case tuple():
            placed = tuple(_put(one, device) for one in value)
    return placed
