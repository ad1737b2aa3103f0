"""Latents as FLUX.1 and Qwen-Image take them: a row of tokens, each of two by two places."""

from __future__ import annotations

import torch
from torch import Tensor


def packed(latents: Tensor) -> Tensor:
    """Latents (N, C, 2h, 2w) as tokens (N, h w, 4 C)."""
    count, channels, height, width = latents.shape
    patches = latents.reshape(count, channels, height // 2, 2, width // 2, 2)
    return patches.permute(0, 2, 4, 1, 3, 5).reshape(count, height // 2 * (width // 2), 4 * channels)


def unpacked(tokens: Tensor, height: int, width: int) -> Tensor:
    """Tokens (N, h w, 4 C) as latents (N, C, 2h, 2w) of that height and width."""
    count, _, channels = tokens.shape
    patches = tokens.reshape(count, height // 2, width // 2, channels // 4, 2, 2)
    return patches.permute(0, 3, 1, 4, 2, 5).reshape(count, channels // 4, height, width)


def places(height: int, width: int) -> Tensor:
    """Where the tokens of latents of that height and width lie (h w, 3): 0, row, column."""
    return torch.cartesian_prod(torch.arange(1), torch.arange(height // 2), torch.arange(width // 2))
