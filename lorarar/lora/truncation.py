"""Updates cut to a rank: the best approximation (Eckart-Young), and how much of the update it lost.

Factors are cut through thin QR decompositions, never dense. A dense matrix, one layer at a time, is
projected onto the leading eigenvectors of its smaller Gram matrix: on 2 cores 2.5 times faster than its full
singular value decomposition, deterministic, and as good as that for the directions that are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from lorarar.lora.adapter import Factors, widest


@dataclass(frozen=True)
class Energy:
    """Squared Frobenius norms, summed over layers: of the whole updates, and of what a cut discarded."""

    whole: float = 0.0
    lost: float = 0.0

    def __add__(self, other: Energy) -> Energy:
        return Energy(self.whole + other.whole, self.lost + other.lost)

    @property
    def share(self) -> float:
        """The share that was discarded, 0 to 1."""
        return self.lost / self.whole if self.whole else 0.0


def truncate(factors: Factors, rank: int) -> tuple[Factors, Energy]:
    """B A cut to ``rank``: with B = Q_b R_b and A' = Q_a R_a, the small R_b R_a' is decomposed instead."""
    whole = factors.energy
    if factors.rank <= rank:
        return factors, Energy(whole)
    dtype = widest((factors.down.dtype, factors.up.dtype, torch.float32))
    q_up, r_up = torch.linalg.qr(factors.up.flatten(1).to(dtype))
    q_down, r_down = torch.linalg.qr(factors.down.flatten(1).to(dtype).T)
    left, values, right = torch.linalg.svd(r_up @ r_down.T, full_matrices=False)
    up, down = (q_up @ left[:, :rank]) * values[:rank], (q_down @ right[:rank].T).T
    return _like(factors.shape, up, down), Energy(whole, float((values[rank:].double() ** 2).sum()))


def factorise(update: Tensor, rank: int) -> tuple[Factors, Energy]:
    """A dense update, (m, n) or (m, n, kh, kw), as factors of at most ``rank``."""
    matrix = update.flatten(1)
    wide = matrix.shape[0] <= matrix.shape[1]
    gram = matrix @ matrix.T if wide else matrix.T @ matrix
    leading = torch.linalg.eigh(gram)[1].flip(1)[:, :rank]
    up, down = (leading, leading.T @ matrix) if wide else (matrix @ leading, leading.T)
    whole = float((matrix.double() ** 2).sum())
    kept = float(((down if wide else up).double() ** 2).sum())
    return _like(tuple(update.shape), up, down), Energy(whole, max(whole - kept, 0.0))


def _like(shape: tuple[int, ...], up: Tensor, down: Tensor) -> Factors:
    """Factors of an update of this shape: convolutions get their kernel back."""
    kernel = shape[2:]
    down = down.reshape(down.shape[0], *shape[1:])
    return Factors(down.contiguous(), up.reshape(*up.shape, *[1] * len(kernel)).contiguous())
