"""Core space (Panariello et al., 2025, arXiv 2509.17786): the small space that all updates of a layer lie in.

With U the left singular vectors of [B_1 B_2 …] and V the right ones of [A_1; A_2; …], every update is exactly
B_k A_k = U M_k V', and M_k = U'B_k A_k V is as small as the sum of the ranks. What is merged of the M_k is an update of
that rank, so that nothing is cut; a rule that looks at single elements, as TIES, has other numbers there than on
B_k A_k, and numbers that depend on how strength is divided between A (alpha / rank is folded in) and B. A rule of
singular values and vectors has the same: with M_k = L S R' the update's own are U L, S and V R.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lorarar.lora.adapter import Factors


@dataclass(frozen=True)
class CoreSpace:
    """The space of some updates (m, n) whose ranks are r in sum."""

    left: Tensor  # U (m, p), p = min(m, r)
    right: Tensor  # V (n, q), q = min(n, r)
    cores: tuple[Tensor, ...]  # M_k (p, q) of every update
    shape: tuple[int, ...]  # of the updates, with a kernel behind it for convolutions

    @classmethod
    def of(cls, updates: Sequence[Factors]) -> CoreSpace:
        """The space of updates of one shape, by thin decompositions of their factors alone."""
        left, ups = _basis([update.up.flatten(1) for update in updates])
        right, downs = _basis([update.down.flatten(1).T for update in updates])
        cores = tuple(up @ down.T for up, down in zip(ups, downs, strict=True))
        return cls(left, right, cores, updates[0].shape)

    @property
    def rounding(self) -> float:
        """The share of an update's largest singular value below which others are but rounding."""
        return max(len(self.left), len(self.right)) * torch.finfo(self.left.dtype).eps

    def update(self, core: Tensor) -> Factors:
        """The update U M V' of a core M."""
        return self.factors(core, self.right.T)

    def factors(self, up: Tensor, rows: Tensor) -> Factors:
        """The update U (up rows), with up (p, k) and rows (k, n); where k is 0 it is zero, of rank 1."""
        if not up.shape[1]:
            up, rows = up.new_zeros(len(up), 1), rows.new_zeros(1, rows.shape[1])
        up = self.left @ up
        return Factors(
            rows.reshape(-1, *self.shape[1:]).contiguous(), up.reshape(*up.shape, *[1] * len(self.shape[2:]))
        )


def _basis(sides: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """The left singular vectors of all sides (m, r_k) beside each other, and every side in them."""
    orthonormal, small = torch.linalg.qr(torch.cat([*sides], dim=1))
    vectors = torch.linalg.svd(small, full_matrices=False)[0]
    return orthonormal @ vectors, [*(vectors.T @ small).split([side.shape[1] for side in sides], dim=1)]
