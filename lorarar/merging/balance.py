"""Balance: a merged update scaled to the energy of the strongest of its inputs.

Energies are squared Frobenius norms over all layers, from the factors alone. Where updates agree their sum is stronger
than any of them, which oversaturates pictures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch

from lorarar.lora.adapter import Adapter, Factors
from lorarar.merging.coefficients import change_all
from lorarar.merging.methods.merge_inputs import MergeResult

_ROUNDING = 1e-10  # of an energy: where LoRAs cancel each other, less than this is left of them by rounding alone


def energy_of(layers: Iterable[Factors]) -> float:
    """The squared Frobenius norm of all layers together."""
    return sum(factors.energy for factors in layers)


def balance(
    result: MergeResult, adapters: Sequence[Adapter], weights: Sequence[float], dtype: torch.dtype
) -> MergeResult:
    """The result times what gives it the energy of the strongest adapter, each with its weight; coefficients alike.

    Where the adapters cancel each other nothing is left that could be balanced, and the result stays as it is.
    """
    strongest = max(weight**2 * energy_of(one.layers.values()) for one, weight in zip(adapters, weights, strict=True))
    energy = energy_of(result.layers.values())
    factor = math.sqrt(strongest / energy) if energy > strongest * _ROUNDING else 1.0
    return replace(
        result,
        layers={name: factors.scale(factor).to(dtype) for name, factors in result.layers.items()},
        coefficients=change_all(result.coefficients, lambda pair: (pair[0] * factor, pair[1] * factor)),
        factor=factor,
    )
