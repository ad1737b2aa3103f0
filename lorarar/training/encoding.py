"""What a training learns from, encoded before its first step: prompts and pictures, by models that leave afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lorarar.generation.latents import Conditioning, encode_images, encode_prompts, read_images
from lorarar.generation.residence import residing
from lorarar.training.checks import check_prompts
from lorarar.util.errors import TrainingError

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline

NamedPicture = tuple[str, Tensor]  # what it is called in messages, and its pixels (3, H, W) in -1..1


def encode_texts(pipeline: StableDiffusionXLPipeline, groups: Sequence[Sequence[str]], side: int) -> list[Conditioning]:
    """The conditioning of each group of prompts, for square pictures of ``side`` pixels, on the UNet's device.

    The text encoders come to that device for it, and leave again.

    Raises:
        TrainingError: a prompt is too long.
    """
    device = pipeline.unet.device
    for prompts in groups:
        check_prompts(pipeline, prompts)
    with residing(device, pipeline.text_encoder, getattr(pipeline, "text_encoder_2", None)):
        return [encode_prompts(pipeline, list(prompts), side, device) for prompts in groups]


def encode_pictures(pipeline: StableDiffusionXLPipeline, groups: Iterable[Iterable[NamedPicture]]) -> list[Tensor]:
    """The scaled latents (N, C, h, w) of each group of N pictures, on the CPU.

    One picture at a time, by the VAE in single precision: in float16 SDXL's own overflows, and in bfloat16 latents
    would have three digits. It comes to the UNet's device for it, and leaves again.

    Raises:
        TrainingError: a picture's latents are not finite.
    """
    with residing(pipeline.unet.device, pipeline.vae, dtype=torch.float32):
        return [torch.cat([_encode(pipeline, *picture) for picture in pictures]) for pictures in groups]


def pictures_of(files: Iterable[Path], side: int) -> Iterator[NamedPicture]:
    """Picture files as squares of ``side`` pixels, each read when its turn comes."""
    return ((str(file), read_images([file], side)[0]) for file in files)


def _encode(pipeline: StableDiffusionXLPipeline, name: str, picture: Tensor) -> Tensor:
    """The latents (1, C, h, w) of one picture."""
    latents = encode_images(pipeline.vae, picture[None])
    if not bool(torch.isfinite(latents).all()):
        raise TrainingError(f"{name}: the VAE makes latents of it that are not finite; name another one with --vae")
    return latents
