"""Pictures as tensors, as Pocket's models are trained on them."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def to_tensor(pixels: Tensor) -> Tensor:
    """uint8 pictures (N, H, W, 3) as floats (N, 3, H, W) in -1..1."""
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


def image_to_tensor(image: Image.Image) -> Tensor:
    """A picture as floats (3, H, W) in -1..1."""
    return to_tensor(torch.from_numpy(np.array(image))[None])[0]


def mirror_some(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """The pictures (N, 3, H, W), each mirrored with a probability of ``share``."""
    mirrored = (torch.rand(len(images), generator=generator) < share).to(images.device)
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)


def noise_like(images: Tensor, generator: torch.Generator) -> Tensor:
    """Gaussian noise of the pictures' shape, made where they lie: by the generator, or by one that it seeds there."""
    if images.device.type != generator.device.type:
        seed = int(torch.randint(2**62, (), generator=generator))
        generator = torch.Generator(images.device).manual_seed(seed)
    return torch.randn(images.shape, generator=generator, device=images.device)
