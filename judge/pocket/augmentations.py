"""Augmentations of a bank's pictures: as painted or as decoded, and random crops, mirroring and tints."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from judge.pocket.bank import Bank

GREY = (0.299, 0.587, 0.114)


class BankPictures:
    """A bank's pictures as tensors, each as painted or as decoded, whichever comes up."""

    def __init__(self, bank: Bank, device: torch.device | str = "cpu") -> None:
        """Put the bank's pictures on a device; what is drawn of them lies there."""
        self.painted, self.decoded = (torch.from_numpy(part).to(device) for part in (bank.pixels, bank.decoded))

    def __len__(self) -> int:
        return len(self.painted)

    def painted_pixels(self, rows: Tensor) -> Tensor:
        """The pictures of rows (N,) as they were painted, as uint8 (N, H, W, 3)."""
        return self.painted[rows.to(self.painted.device)]

    def sample_pixels(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """The pictures of rows (N,) as uint8 (N, H, W, 3), half of them decoded."""
        decoded = (torch.rand(len(rows), generator=generator) < 0.5).to(self.painted.device)
        rows = rows.to(self.painted.device)
        return torch.where(decoded[:, None, None, None], self.decoded[rows], self.painted[rows])

    def sample(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """The pictures of rows (N,) as floats (N, 3, H, W) in 0..1, half of them decoded."""
        return self.sample_pixels(rows, generator).permute(0, 3, 1, 2).float() / 255


def random_crops(
    images: Tensor, side: int, share: tuple[float, float], generator: torch.Generator, turn: float = 0.0
) -> Tensor:
    """A random square of each picture, half of them mirrored.

    Args:
        images: (N, 3, H, W).
        side: of the result (N, 3, side, side), in pixels.
        share: least and largest part of a picture's area.
        generator: of all randomness.
        turn: by how much a square may be turned either way, in radians.
    """
    count = len(images)
    low, high = share
    length = (low + (high - low) * torch.rand(count, generator=generator)).sqrt()
    centre = (2 * torch.rand((count, 2), generator=generator) - 1) * (1 - length)[:, None]
    mirrored = torch.rand(count, generator=generator) < 0.5
    square = torch.zeros(count, 2, 3)
    angle = turn * (2 * torch.rand(count, generator=generator) - 1) if turn else torch.zeros(count)
    across = torch.where(mirrored, -length, length)
    square[:, 0, 0], square[:, 0, 1] = across * angle.cos(), -length * angle.sin()
    square[:, 1, 0], square[:, 1, 1] = across * angle.sin(), length * angle.cos()
    square[:, :, 2] = centre
    grid = F.affine_grid(square.to(images.device), [count, 3, side, side], align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def random_tints(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """The pictures (N, 3, H, W) with brightness, contrast and saturation changed by up to ``strength`` each."""
    gains = 1 + strength * (2 * torch.rand((3, len(images), 1, 1, 1), generator=generator) - 1).to(images.device)
    images = images * gains[0]
    middle = images.mean((1, 2, 3), keepdim=True)
    images = middle + (images - middle) * gains[1]
    grey = torch.einsum("nchw,c->nhw", images, torch.tensor(GREY, device=images.device))[:, None]
    return (grey + (images - grey) * gains[2]).clamp(0, 1)
