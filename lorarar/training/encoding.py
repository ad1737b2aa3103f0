"""What a training learns from, encoded before its first step: prompts and pictures, by models that leave afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lorarar.generation.decoding import AT_ONCE
from lorarar.generation.latents import Conditioning, encode_images, encode_prompts, read_images
from lorarar.generation.residence import residing
from lorarar.training.checks import check_prompts
from lorarar.util.errors import TrainingError

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline

_ASIDE = torch.device("cpu")  # where a model is while another takes its place

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
    """The scaled latents (N, C, h, w) of each group of N pictures of one size, on the CPU.

    By the VAE in single precision: in float16 SDXL's own overflows, and in bfloat16 latents would have three digits. It
    comes to the UNet's device for it, and the UNet makes room meanwhile: with both there, this would take more than any
    step of a training. As when pictures are decoded, small ones go through it at once and others one by one, so that a
    group takes no more memory than one picture of 1024 x 1024.

    Raises:
        TrainingError: a picture's latents are not finite.
    """
    device = pipeline.unet.device
    with residing(_ASIDE, pipeline.unet), residing(device, pipeline.vae, dtype=torch.float32):
        return [_encode(pipeline, list(pictures)) for pictures in groups]


def pictures_of(files: Iterable[Path], side: int) -> Iterator[NamedPicture]:
    """Picture files as squares of ``side`` pixels, each read when its turn comes."""
    return ((str(file), read_images([file], side)[0]) for file in files)


def _encode(pipeline: StableDiffusionXLPipeline, pictures: Sequence[NamedPicture]) -> Tensor:
    """The latents (N, C, h, w) of a group of pictures."""
    pixels = torch.stack([picture for _, picture in pictures])
    latents = encode_images(pipeline.vae, pixels, max(1, AT_ONCE // pixels[0, 0].numel()))
    for (name, _), one in zip(pictures, latents, strict=True):
        if not bool(torch.isfinite(one).all()):
            raise TrainingError(f"{name}: the VAE makes latents of it that are not finite; name another one with --vae")
    return latents
