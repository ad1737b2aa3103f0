"""Pictures as tensors, and as the latents that a base's denoiser takes, for training and generation alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from lorarar.generation.autoencoders.table import autoencoder_kind
from lorarar.pictures.images import read_image


def read_images(paths: Sequence[str | Path], side: int) -> Tensor:
    """Picture files as one tensor, as ``images_to_tensor`` gives it."""
    return images_to_tensor(map(read_image, paths), side)  # one at a time: photographs of many megapixels are usual


def images_to_tensor(images: Iterable[Image.Image], side: int) -> Tensor:
    """Pictures as one tensor (N, 3, side, side) in -1..1: centre-cropped to squares and resized."""
    squares = [ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS) for image in images]
    pixels = torch.from_numpy(np.stack([np.asarray(square) for square in squares]))
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def encode_images(vae: Any, images: Tensor, batch: int = 64) -> Tensor:
    """Scaled latents (the posterior's mean) of images (N, 3, H, W) in -1..1."""
    kind = autoencoder_kind(vae)
    shift, factor = kind.scale(vae)
    device, dtype = vae.device, vae.dtype
    parts = [kind.encode(vae, part.to(device, dtype)).float().cpu() for part in torch.split(images, batch)]
    return (torch.cat(parts) - shift.cpu()) * factor.cpu()
