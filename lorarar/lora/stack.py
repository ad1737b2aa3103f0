"""Stacks of adapters: several that change the same layers at one rank, as one whose factors have a leading dimension.

A UNet runs samples of many adapters at once with them (``generation.gates``), for little more than the price of one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import pad

from lorarar.lora.adapter import Adapter, Factors
from lorarar.util.errors import AdapterError


def is_stack(factors: Factors) -> bool:
    """Whether factors are a stack's: A (P, r, n) and B (P, m, r); one adapter's are of two dimensions, or of four."""
    return factors.down.dim() == 3


def check_alike(adapters: Sequence[Adapter]) -> None:
    """Refuse adapters that cannot be in one stack.

    Raises:
        AdapterError: they do not change the same layers, or one is no linear layer's.
    """
    first = adapters[0]
    for other in adapters:
        if rest := {*first.layers} ^ {*other.layers}:
            raise AdapterError(
                f"{first.name or 'one LoRA'} and {other.name or 'another'} do not change the same layers "
                f"({sorted(rest)[0]} is of one alone), and cannot be in one batch; train with one pair a step"
            )
        for name, factors in other.layers.items():
            if factors.down.dim() != 2:
                raise AdapterError(f"{name} is a convolution, of which no batch is made; train with one pair a step")
            if factors.shape != first.layers[name].shape:
                raise AdapterError(f"{name} is not of one shape in all LoRAs of a batch")


def stack(adapters: Sequence[Adapter]) -> Adapter:
    """P adapters as one; a lower rank is filled up with zeros, which add nothing.

    Raises:
        AdapterError: as of ``check_alike``.
    """
    check_alike(adapters)
    return Adapter({name: _stacked([adapter.layers[name] for adapter in adapters]) for name in adapters[0].layers})


def unstack(adapter: Adapter) -> list[Adapter]:
    """The P adapters of a stack, each with memory of its own."""
    layers = adapter.layers
    count = len(next(iter(layers.values())).down)
    return [
        Adapter({name: Factors(of.down[place].clone(), of.up[place].clone()) for name, of in layers.items()})
        for place in range(count)
    ]


def _stacked(factors: Sequence[Factors]) -> Factors:
    rank = max(one.rank for one in factors)
    # pad would copy also what it leaves as it is
    filled = [one if one.rank == rank else _filled(one, rank) for one in factors]
    return Factors(torch.stack([one.down for one in filled]), torch.stack([one.up for one in filled]))


def _filled(factors: Factors, rank: int) -> Factors:
    """Factors at a higher rank, with zeros."""
    missing = rank - factors.rank
    return Factors(pad(factors.down, (0, 0, 0, missing)), pad(factors.up, (0, missing)))
