"""Latents of which two by two are folded into one, with four times the channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def folded(latents: Tensor) -> Tensor:
    """(N, C, 2h, 2w) as (N, 4 C, h, w)."""
    count, channels, height, width = latents.shape
    squares = latents.reshape(count, channels, height // 2, 2, width // 2, 2)
    return squares.permute(0, 1, 3, 5, 2, 4).reshape(count, 4 * channels, height // 2, width // 2)


def unfolded(latents: Tensor) -> Tensor:
    """(N, 4 C, h, w) as (N, C, 2h, 2w)."""
    count, channels, height, width = latents.shape
    squares = latents.reshape(count, channels // 4, 2, 2, height, width)
    return squares.permute(0, 1, 4, 2, 5, 3).reshape(count, channels // 4, 2 * height, 2 * width)
