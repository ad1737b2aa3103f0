"""What a training learns from, encoded before its first step: prompts and pictures, by models that leave afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from lorarar.generation.decoding import AT_ONCE
from lorarar.generation.denoisers.conditioning import Conditioning
from lorarar.generation.denoisers.table import denoiser_of, encode_prompts, pipeline_kind
from lorarar.generation.latents import encode_images, read_images
from lorarar.generation.residence import residing
from lorarar.training.checks import check_prompts
from lorarar.util.errors import TrainingError
from lorarar.util.progress import Ticker

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline

_ASIDE = torch.device("cpu")  # where a model is while another takes its place

NamedPicture = tuple[str, Tensor]  # what it is called in messages, and its pixels (3, H, W) in -1..1


class NamedPictures(Protocol):
    """Pictures of one size, whose number is there before they are read: a list of them, or ``FilePictures``."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[NamedPicture]: ...


@dataclass(frozen=True)
class FilePictures:
    """Picture files as squares of ``side`` pixels, each read when its turn comes."""

    files: Sequence[Path]
    side: int

    def __len__(self) -> int:
        return len(self.files)

    def __iter__(self) -> Iterator[NamedPicture]:
        return ((str(file), read_images([file], self.side)[0]) for file in self.files)


def encode_texts(pipeline: StableDiffusionXLPipeline, groups: Sequence[Sequence[str]], side: int) -> list[Conditioning]:
    """The conditioning of each group of prompts, for square pictures of ``side`` pixels, on the denoiser's device.

    The text encoders come to that device for it, and leave again.

    Raises:
        TrainingError: a prompt is too long.
        DrawingError: the pictures' size is none of the base's.
    """
    device = denoiser_of(pipeline).device
    pipeline_kind(pipeline).check_size(pipeline, (side, side))
    for prompts in groups:
        check_prompts(pipeline, prompts)
    with residing(device, pipeline.text_encoder, getattr(pipeline, "text_encoder_2", None)):
        return [encode_prompts(pipeline, list(prompts), side, device) for prompts in groups]


def encode_pictures(
    pipeline: StableDiffusionXLPipeline, groups: Sequence[NamedPictures], dtype: torch.dtype = torch.float32
) -> list[Tensor]:
    """The scaled latents (N, C, h, w) of each group of N pictures of one size, on the CPU; shows progress.

    By the VAE in single precision: in float16 SDXL's own overflows, and in bfloat16 latents would have three digits. It
    comes to the denoiser's device for it, which makes room meanwhile: with both there, this would take more than any
    step of a training. As when pictures are decoded, small ones go through it at once and others one by one, so that a
    group takes no more memory than one picture of 1024 x 1024, and their latents in ``dtype``.

    Raises:
        TrainingError: a picture's latents are not finite.
    """
    device = denoiser_of(pipeline).device
    count = sum(len(pictures) for pictures in groups)
    with (
        residing(_ASIDE, denoiser_of(pipeline)),
        residing(device, pipeline.vae, dtype=torch.float32),
        Ticker("encode pictures", count, patience=1.0) as ticker,
    ):
        return [torch.cat([part.to(dtype) for part in _latents(pipeline, pictures, ticker)]) for pictures in groups]


def _latents(pipeline: StableDiffusionXLPipeline, pictures: NamedPictures, ticker: Ticker) -> Iterator[Tensor]:
    """The latents (n, C, h, w) of a group of pictures, n at a time."""
    rest = iter(pictures)
    first = next(rest)
    rest, at_once = chain([first], rest), max(1, AT_ONCE // first[1][0].numel())
    while part := list(islice(rest, at_once)):
        names, pixels = zip(*part, strict=True)
        latents = encode_images(pipeline.vae, torch.stack(pixels), at_once)
        for name, one in zip(names, latents, strict=True):
            if not bool(torch.isfinite(one).all()):
                advice = "name another one with --vae"
                raise TrainingError(f"{name}: the VAE makes latents of it that are not finite; {advice}")
        ticker.advance(len(latents))
        yield latents
