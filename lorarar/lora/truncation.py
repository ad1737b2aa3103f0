"""Updates cut to a rank: the best approximation (Eckart-Young), and how much of the update it lost.

Factors are cut through thin QR decompositions, never dense. A dense matrix, one layer at a time, is
projected onto the leading eigenvectors of its smaller Gram matrix: on 2 cores 2.5 times faster than its full
singular value decomposition, deterministic, and as good as that for the directions that are kept. Of a large
one whose leading directions are nearly known they are spaces from these by subspace iteration instead, many times
faster, which loses less than ``GAIN`` of the energy more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from lorarar.lora.adapter import Factors, widest

#: The smaller side of the largest matrix that is always cut by all its eigenvectors.
EXACT_SIDE = 256
#: Of a matrix's energy: subspace iteration ends where a step finds less than this.
GAIN = 5e-4


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


def factorise(update: Tensor, rank: int, start: Tensor | None = None) -> tuple[Factors, Energy]:
    """A dense update, (m, n) or (m, n, kh, kw), as factors of at most ``rank``.

    Args:
        update: what is cut.
        rank: of the factors.
        start: (m, k) whose columns span about what the update's leading left singular vectors span, such as the B of
            all updates that it was made of; it makes a large update many times quicker, a small one no different.
    """
    matrix = update.flatten(1)
    if start is not None and by_subspace(min(matrix.shape), start.shape[1]) and rank <= start.shape[1]:
        up, down = _iterate(matrix, start, rank)
        whole, kept = (float(torch.linalg.vector_norm(one)) ** 2 for one in (matrix, down))
    else:
        up, down = _project(matrix, rank)
        whole = float((matrix.double() ** 2).sum())
        kept = float(((down if matrix.shape[0] <= matrix.shape[1] else up).double() ** 2).sum())
    return _like(tuple(update.shape), up, down), Energy(whole, max(whole - kept, 0.0))


def by_subspace(side: int, rank: int) -> bool:
    """Whether a matrix of this smaller side is cut by subspace iteration, started from so many directions."""
    return side > EXACT_SIDE and 4 * rank <= side


def _project(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The best approximation of a rank, by all eigenvectors of the smaller Gram matrix."""
    wide = matrix.shape[0] <= matrix.shape[1]
    gram = matrix @ matrix.T if wide else matrix.T @ matrix
    leading = torch.linalg.eigh(gram)[1].flip(1)[:, :rank]
    return (leading, leading.T @ matrix) if wide else (matrix @ leading, leading.T)


def _iterate(matrix: Tensor, start: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """An approximation of a rank by subspace iteration (Halko et al., 2011): orthonormal (m, rank), and (rank, n).

    From a start S, whose columns are as many as the directions that stand out, two steps W <- orth(M M'W) are enough.
    Where the second still finds more than would soon come to nothing, the energy falls slowly, and the steps go on
    with twice as many directions. What is kept of M is its best approximation within W (Rayleigh-Ritz).
    """
    least = GAIN * float(torch.linalg.vector_norm(matrix)) ** 2
    spaces = [_within(torch.linalg.qr(start)[0], matrix, rank)]
    for _ in range(2):
        spaces.append(_within(spaces[-1].step(matrix), matrix, rank))
    first, second = (after.kept - before.kept for before, after in pairwise(spaces))
    last = spaces[-1]
    if 8 * second**2 > least * (first - second):
        wide = torch.cat([one.basis for one in spaces[-2:]], dim=1)
        last, gained = _within(torch.linalg.qr(wide)[0], matrix, rank), math.inf
        while gained > least:
            before, last = last, _within(last.step(matrix), matrix, rank)
            gained = last.kept - before.kept
    return last.basis @ last.leading, last.leading.T @ last.down


@dataclass(frozen=True)
class _Subspace:
    """A matrix M within a basis."""

    basis: Tensor  # W (m, k), orthonormal
    down: Tensor  # W'M (k, n)
    leading: Tensor  # (k, rank), the left singular vectors of W'M
    kept: float  # the energy of M in these

    def step(self, matrix: Tensor) -> Tensor:
        """The basis of M M'W."""
        basis: Tensor = torch.linalg.qr(matrix @ self.down.T)[0]
        return basis


def _within(basis: Tensor, matrix: Tensor, rank: int) -> _Subspace:
    down = basis.T @ matrix
    values, vectors = torch.linalg.eigh(down @ down.T)
    return _Subspace(basis, down, vectors.flip(1)[:, :rank], float(values[-rank:].sum()))


def _like(shape: tuple[int, ...], up: Tensor, down: Tensor) -> Factors:
    """Factors of an update of this shape: convolutions get their kernel back."""
    kernel = shape[2:]
    down = down.reshape(down.shape[0], *shape[1:])
    return Factors(down.contiguous(), up.reshape(*up.shape, *[1] * len(kernel)).contiguous())
