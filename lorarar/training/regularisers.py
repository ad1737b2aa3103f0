"""What a loss asks of coefficients beside fidelity: the regularisers of Eq. 3, and the terms of other methods.

A regulariser says how much the coefficients of content and style overlap.

All coefficients start near 1. What each regulariser is then, times the paper's lambda of 0.01, at SDXL's size (280
layers of queries and outputs with 332,800 columns, predictions of 65,536 values), beside two fidelity terms of some 13
each: 3,328 for the dot product as printed, 2.8 for the cosine, 2.6 for the mean dot product.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lorarar.merging.coefficients import Coefficients
from lorarar.training.layer_priors import LayerPriors
from lorarar.training.options import HypernetOptions, PairOptions, RankOptions, Regulariser, ZipOptions

#: Of the pairs m_c, m_s (n,) that are learnt, and of the fidelity term's unit (``fidelities.unit_of``).
RegulariserTerm = Callable[[Sequence[Coefficients], Tensor], Tensor]


def _mean_dot(pairs: Sequence[Coefficients], unit: Tensor) -> Tensor:
    """Mean over layers and their columns of Eq. 3's abs(m_c . m_s), in the unit of the fidelity terms.

    So its ratio to them depends on neither the base's size nor its latents': by ``l2`` it starts, times lambda, at
    lambda over twice the root of the mean squared difference between merge and teachers.
    """
    return unit * torch.stack([(m_c @ m_s).abs() / len(m_c) for m_c, m_s in pairs]).mean()


def _dot(pairs: Sequence[Coefficients], _: Tensor) -> Tensor:
    """Sum over layers of abs(m_c . m_s), as Eq. 3 is printed: it grows with the number of columns and of layers."""
    return torch.stack([(m_c @ m_s).abs() for m_c, m_s in pairs]).sum()


def _cosine(pairs: Sequence[Coefficients], _: Tensor) -> Tensor:
    """Sum over layers of the absolute cosine similarity of m_c and m_s (the authors' code): at most one a layer."""
    return torch.stack([torch.cosine_similarity(m_c, m_s, dim=0).abs() for m_c, m_s in pairs]).sum()


REGULARISERS: Mapping[Regulariser, RegulariserTerm] = {"mean-dot": _mean_dot, "dot": _dot, "cosine": _cosine}


class Penalty(NamedTuple):
    """A term of a loss with its weight."""

    term: RegulariserTerm
    weight: float


NOTHING = Penalty(lambda pairs, _: torch.zeros(()), 0.0)


def penalty_of(options: HypernetOptions | PairOptions, layers: Sequence[str] = ()) -> Penalty:
    """What a training's options ask of the coefficients of layers, which come in this order, beside fidelity."""
    match options:
        case HypernetOptions() | ZipOptions():
            return Penalty(REGULARISERS[options.regulariser], options.strength)
        case RankOptions():
            return Penalty(LayerPriors(layers, options.nuclear, options.sparsity), 1.0)
    return NOTHING
