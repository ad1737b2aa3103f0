"""A bank's pictures as CLIP and DINO see them in training: painted or decoded, cut, mirrored, tinted."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from judge.pocket.bank import Bank

GREY = (0.299, 0.587, 0.114)


class Views:
    """Draws views of a bank's pictures."""

    def __init__(self, bank: Bank) -> None:
        self.painted, self.decoded = torch.from_numpy(bank.pixels), torch.from_numpy(bank.decoded)

    def __len__(self) -> int:
        return len(self.painted)

    def draw(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """The pictures of rows (N,) as (N, 3, H, W) in 0..1, half of them through the VAE."""
        through = torch.rand(len(rows), generator=generator) < 0.5
        pixels = torch.where(through[:, None, None, None], self.decoded[rows], self.painted[rows])
        return pixels.permute(0, 3, 1, 2).float() / 255


def crops(images: Tensor, side: int, share: tuple[float, float], generator: torch.Generator) -> Tensor:
    """A random square of each picture, of a share of its area, half of them mirrored: (N, 3, side, side)."""
    count = len(images)
    low, high = share
    length = (low + (high - low) * torch.rand(count, generator=generator)).sqrt()
    place = (2 * torch.rand((count, 2), generator=generator) - 1) * (1 - length)[:, None]
    mirrored = torch.rand(count, generator=generator) < 0.5
    square = torch.zeros(count, 2, 3)
    square[:, 0, 0] = torch.where(mirrored, -length, length)
    square[:, 1, 1] = length
    square[:, :, 2] = place
    grid = F.affine_grid(square, [count, 3, side, side], align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def tinted(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Brightness, contrast and saturation of each picture changed by up to ``strength``."""
    gains = 1 + strength * (2 * torch.rand((3, len(images), 1, 1, 1), generator=generator) - 1)
    images = images * gains[0]
    middle = images.mean((1, 2, 3), keepdim=True)
    images = middle + (images - middle) * gains[1]
    grey = torch.einsum("nchw,c->nhw", images, torch.tensor(GREY))[:, None]
    return (grey + (images - grey) * gains[2]).clamp(0, 1)
