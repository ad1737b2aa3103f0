"""Updates as the products that they are stored as: exact, and dense only where nothing smaller will do.

Every kind has the same two uses: the whole update, and its best approximation of a rank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from lorarar.lora.adapter import Factors
from lorarar.lora.truncation import Energy, factorise, truncate


class Update(Protocol):
    """The update of one layer, as a matrix of m rows: columns, and a kernel behind them, are those of its tensors."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(m, n), with the kernel behind it where its tensors say it."""

    def dense(self) -> Tensor:
        """The whole update."""

    def cut(self, rank: int) -> tuple[Factors, Energy]:
        """The best approximation of at most this rank, and what it discards."""


@dataclass(frozen=True)
class MatrixProduct:
    """B A with B (m, r) and A (r, n, kernel): plain LoRA, and what is that as soon as its core is put into A."""

    up: Tensor
    down: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """(m, n), with the kernel behind it."""
        return (self.up.shape[0], *self.down.shape[1:])

    def dense(self) -> Tensor:
        """The whole update."""
        return (self.up @ self.down.flatten(1)).reshape(self.shape)

    def cut(self, rank: int) -> tuple[Factors, Energy]:
        """Itself, whatever its rank: it is a LoRA."""
        return Factors(self.down, self.up), Energy()


@dataclass(frozen=True)
class HadamardProduct:
    """The product of two updates element by element, as LoHa has it: of rank r r' at most."""

    first: MatrixProduct
    second: MatrixProduct

    @property
    def shape(self) -> tuple[int, ...]:
        """That of both."""
        return self.first.shape

    @property
    def factors(self) -> Factors:
        """All of it: each row of B is the Kronecker product of both updates' rows, each column of A that of columns."""
        up = self.first.up.unsqueeze(2) * self.second.up.unsqueeze(1)
        down = self.first.down.unsqueeze(1) * self.second.down.unsqueeze(0)
        return Factors(down.flatten(0, 1), up.flatten(1))

    def dense(self) -> Tensor:
        """The whole update."""
        return self.first.dense() * self.second.dense()

    def cut(self, rank: int) -> tuple[Factors, Energy]:
        """Through its factors where they are small, else through the whole update."""
        columns = self.first.down.flatten(1).shape[1]
        combined = self.first.down.shape[0] * self.second.down.shape[0]
        if 2 * combined <= min(self.shape[0], columns):
            return truncate(self.factors, rank)
        return factorise(self.dense(), rank)


@dataclass(frozen=True)
class KroneckerProduct:
    """The Kronecker product of a small matrix (a, c) with a larger one (b, d, kernel), as LoKr has it."""

    small: Tensor
    large: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """(a b, c d), with the kernel behind it."""
        (a, c), (b, d, *kernel) = self.small.shape, self.large.shape
        return (a * b, c * d, *kernel)

    def dense(self) -> Tensor:
        """The whole update."""
        return torch.kron(self.small, self.large.flatten(1)).reshape(self.shape)

    def cut(self, rank: int) -> tuple[Factors, Energy]:
        """Singular values and vectors are the products of both matrices' own: nothing large is formed."""
        left, s, right = torch.linalg.svd(self.small, full_matrices=False)
        left_large, s_large, right_large = torch.linalg.svd(self.large.flatten(1), full_matrices=False)
        values = torch.outer(s, s_large).flatten()
        there = int((values > values.max() * torch.finfo(values.dtype).eps).sum())
        kept = torch.argsort(values, descending=True, stable=True)[: max(min(rank, there), 1)]
        one, other = kept // len(s_large), kept % len(s_large)
        up = torch.einsum("ak,bk->abk", left[:, one], left_large[:, other]).flatten(0, 1) * values[kept]
        down = torch.einsum("kc,kd->kcd", right[one], right_large[other]).reshape(len(kept), *self.shape[1:])
        whole, keeps = float((values.double() ** 2).sum()), float((values[kept].double() ** 2).sum())
        return Factors(down, up), Energy(whole, max(whole - keeps, 0.0))
