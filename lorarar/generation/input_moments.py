"""Second moments of what layers get as input, kept as roots: all that a method needs of a LoRA's calibration.

Of T inputs X (T, n) of a layer, X'X / T says all that any partner's A can ask: z = A x has the moment A X'X A' / T. It
is kept as R (p, n) with R'R = X'X / T, p = min(T, n), by a QR decomposition. R is zero below its diagonal, so it has
fewer numbers than X and than X'X.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

DECOMPOSED = ("cpu", "cuda")  # devices that have the decomposition; from others inputs go to the CPU


@dataclass(frozen=True, eq=False)
class InputMoment:
    """The second moment of a layer's inputs, without subtracting their mean."""

    packed: Tensor  # float16 on the CPU: R / scale row by row, each from its diagonal on
    tokens: int  # T
    columns: int  # n, of a convolution with its kernel's places
    scale: float  # a power of two, above every number of R

    @classmethod
    def of(cls, inputs: Tensor) -> InputMoment:
        """The moment of finite inputs (T, n)."""
        tokens, columns = inputs.shape
        rows = inputs.float() / math.sqrt(tokens)
        root = torch.linalg.qr(rows if rows.device.type in DECOMPOSED else rows.cpu(), mode="r").R
        scale = 2.0 ** math.frexp(float(root.abs().max()))[1]
        packed = (root / scale)[_corner(*root.shape).to(root.device)]
        return cls(packed.half().cpu(), tokens, columns, scale)

    @property
    def rows(self) -> int:
        """How many R has, p."""
        return min(self.tokens, self.columns)

    @property
    def is_sound(self) -> bool:
        """Whether there are as many numbers as it says, and no others than a moment has."""
        if min(self.tokens, self.columns) < 1 or not 0 < self.scale < math.inf:
            return False
        count = self.rows * self.columns - self.rows * (self.rows - 1) // 2
        return self.packed.dtype == torch.float16 and self.packed.shape == (count,)

    def root(self, device: torch.device | None = None) -> Tensor:
        """R (p, n) in float32 on a device."""
        root = torch.zeros(self.rows, self.columns)
        root[_corner(self.rows, self.columns)] = self.packed.float() * self.scale
        return root.to(device)


InputMoments = Mapping[str, InputMoment]  # of a LoRA's layers by name; layers that read the same share one


def _corner(rows: int, columns: int) -> Tensor:
    """Which numbers of R can be other than zero, (rows, columns)."""
    return torch.ones(rows, columns, dtype=torch.bool).triu()
