"""Latents as FLUX.1 and Qwen-Image take them: a row of tokens, each of two by two places."""

from __future__ import annotations

import torch
from torch import Tensor

from lorarar.generation.folded_latents import folded, unfolded


def packed(latents: Tensor) -> Tensor:
    """Latents (N, C, 2h, 2w) as tokens (N, h w, 4 C)."""
    return folded(latents).flatten(2).mT.contiguous()


def unpacked(tokens: Tensor, height: int, width: int) -> Tensor:
    """Tokens (N, h w, 4 C) as latents (N, C, 2h, 2w) of that height and width."""
    return unfolded(tokens.mT.reshape(len(tokens), -1, height // 2, width // 2))


def places(height: int, width: int) -> Tensor:
    """Where the tokens of latents of that height and width lie (h w, 3): 0, row, column."""
    return torch.cartesian_prod(torch.arange(1), torch.arange(height // 2), torch.arange(width // 2))
