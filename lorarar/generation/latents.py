"""Latents, conditioning and noise of a diffusion base, for training and generation alike.

Works on the parts of any ``StableDiffusionXLPipeline`` or ``StableDiffusionPipeline``; nothing here knows which base
it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image, ImageOps
from torch import Tensor

from lorarar.pictures.images import read_image


@dataclass(frozen=True)
class Conditioning:
    """What the UNet is told of N prompts."""

    text: Tensor  # (N, tokens, cross-attention width)
    added: Mapping[str, Tensor]  # the UNet's ``added_cond_kwargs``, each (N, ...); of SD 1.5 none

    @classmethod
    def of_sdxl(cls, text: Tensor, pooled: Tensor, time_ids: Tensor) -> Conditioning:
        """SDXL's: the text, its embedding as a whole (N, width), and sizes (N, 6): original, crop's corner, target."""
        return cls(text, {"text_embeds": pooled, "time_ids": time_ids})

    def at(self, index: Tensor | slice | list[int]) -> Conditioning:
        """The conditioning of some of the prompts."""
        return Conditioning(self.text[index], {name: value[index] for name, value in self.added.items()})

    def followed_by(self, other: Conditioning) -> Conditioning:
        """The conditioning of these prompts and then of others, of the same base."""
        added = {name: torch.cat([value, other.added[name]]) for name, value in self.added.items()}
        return Conditioning(torch.cat([self.text, other.text]), added)


def latent_scale(vae: AutoencoderKL) -> tuple[Tensor, Tensor]:
    """Shift and factor (1, C, 1, 1) with which latents enter the UNet: ``(latents - shift) * factor``.

    The VAE's own ``latents_mean`` and ``latents_std`` are honoured where its config has them, as in the
    SDXL pipeline.
    """
    config: Any = vae.config
    channels = config.latent_channels
    mean = torch.tensor(config.latents_mean or [0.0] * channels)
    deviation = torch.tensor(config.latents_std or [1.0] * channels)
    return mean.view(1, -1, 1, 1), (config.scaling_factor / deviation).view(1, -1, 1, 1)


def read_images(paths: Sequence[str | Path], side: int) -> Tensor:
    """Picture files as one tensor, as ``images_to_tensor`` gives it."""
    return images_to_tensor(map(read_image, paths), side)  # one at a time: photographs of many megapixels are usual


def images_to_tensor(images: Iterable[Image.Image], side: int) -> Tensor:
    """Pictures as one tensor (N, 3, side, side) in -1..1: centre-cropped to squares and resized."""
    squares = [ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS) for image in images]
    pixels = torch.from_numpy(np.stack([np.asarray(square) for square in squares]))
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def encode_images(vae: AutoencoderKL, images: Tensor, batch: int = 64) -> Tensor:
    """Scaled latents (the posterior's mean) of images (N, 3, H, W) in -1..1."""
    shift, factor = latent_scale(vae)
    device, dtype = vae.device, vae.dtype
    parts = [vae.encode(part.to(device, dtype)).latent_dist.mean.float().cpu() for part in torch.split(images, batch)]
    return (torch.cat(parts) - shift) * factor


def square_time_ids(side: int, count: int = 1) -> Tensor:
    """SDXL's six size numbers (count, 6) for an uncropped square of ``side`` pixels."""
    return torch.tensor([[side, side, 0, 0, side, side]], dtype=torch.float32).repeat(count, 1)


def predict(unet: Any, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
    """The UNet's prediction (N, C, h, w) for noisy latents."""
    added = dict(conditioning.added)
    prediction: Tensor = unet(noisy, timesteps, conditioning.text, added_cond_kwargs=added, return_dict=False)[0]
    return prediction


def target(scheduler: Any, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
    """The UNet's target (N, C, h, w): the noise or the velocity, by the scheduler's ``prediction_type``.

    Raises:
        ValueError: the scheduler predicts something else.
    """
    kind = scheduler.config.prediction_type
    if kind == "v_prediction":
        velocity: Tensor = scheduler.get_velocity(latents, noise, timesteps)
        return velocity
    if kind == "epsilon":
        return noise
    raise ValueError(f"prediction type {kind!r} is not supported; epsilon and v_prediction are")


@torch.no_grad()
def encode_prompts(pipeline: Any, prompts: list[str], side: int, device: torch.device | None = None) -> Conditioning:
    """The conditioning of prompts, as the pipeline's encoders give it, for square pictures of ``side`` pixels.

    Args:
        pipeline: the base.
        prompts: as many as the conditioning is of.
        side: of the pictures.
        device: where the text encoders are; by default the pipeline's own.
    """
    text, _, *pooled = pipeline.encode_prompt(
        prompts, device=device or pipeline.device, num_images_per_prompt=1, do_classifier_free_guidance=False
    )
    if not pooled:  # of one text encoder, whose prompts have no embedding as a whole
        return Conditioning(text, {})
    return Conditioning.of_sdxl(text, pooled[0], square_time_ids(side, len(prompts)).to(text.device, text.dtype))
