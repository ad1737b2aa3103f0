"""Singular components of small matrices, without those that are but rounding."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Components:
    """A matrix L S R' (p, q) of rank k, the largest singular value first."""

    left: Tensor  # L (p, k)
    values: Tensor  # S (k,)
    right: Tensor  # R' (k, q)

    @classmethod
    def of(cls, matrix: Tensor, rounding: float, *terms: Tensor) -> Components:
        """Those of a matrix whose singular values are above this share of the largest; of a zero matrix none.

        Of a sum, the largest one of its ``terms`` counts too: where they cancel each other, rounding is what is left.
        """
        left, values, right = torch.linalg.svd(matrix, full_matrices=False)
        largest = torch.stack([values[:1].sum(), *(torch.linalg.matrix_norm(term, 2) for term in terms)]).max()
        rank = int((values > largest * rounding).sum())
        return cls(left[:, :rank], values[:rank], right[:rank])


def polar(matrix: Tensor, rounding: float) -> Tensor:
    """The polar factor L R' (p, q) of a matrix L S R': the nearest with orthonormal columns, where q of them can be.

    Columns that depend on each other have none; the factor is then orthonormal on what they span, and zero on the rest.
    """
    components = Components.of(matrix, rounding)
    return components.left @ components.right
