"""Stage ``bank``: the labelled pictures that Pocket's judges learn from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import Tensor

from judge.pocket.bank import Bank, make_bank
from judge.pocket.extra_classes import fetch_more_designs
from judge.pocket.shipped import MANIFEST
from lorarar.pocket.build_context import BuildContext
from lorarar.pocket.image_tensors import to_tensor
from lorarar.pocket.shipped import BASE

BATCH = 64  # pictures that the VAE takes at once
FLAW = 0.4  # largest noise on a latent, in deviations of its channel


def bank_file(context: BuildContext) -> Path:
    """Where a build keeps the judges' training pictures."""
    return context.folder / "bank.npz"


def run_bank(context: BuildContext) -> None:
    """Make the pictures, pass them through the shipped VAE, and keep both in the build folder."""
    bank = make_bank(fetch_more_designs(context.art), context.seed)
    decode_pictures(bank, context.seed, context.accelerator().device).save(bank_file(context))
    MANIFEST.record(
        "bank",
        pictures=len(bank.pixels),
        designs=int(bank.designs.max()) + 1,
        looks=int(bank.looks.max()),
        seed=context.seed,
    )


@torch.no_grad()
def decode_pictures(bank: Bank, seed: int, device: torch.device | str) -> Bank:
    """The bank with its pictures passed through the shipped VAE."""
    vae = AutoencoderKL.from_pretrained(BASE / "vae", dtype=torch.float32).to(device)
    generator = torch.Generator().manual_seed(seed)
    parts = [_decode_flawed(vae, pixels, generator) for pixels in torch.split(torch.from_numpy(bank.pixels), BATCH)]
    return replace(bank, decoded=torch.cat(parts).contiguous().numpy())


def _decode_flawed(vae: AutoencoderKL, pixels: Tensor, generator: torch.Generator) -> Tensor:
    """The pictures (N, H, W, 3) decoded from latents with noise, each of a strength of its own."""
    latents = vae.encode(to_tensor(pixels).to(vae.device)).latent_dist.mean.cpu()
    spread = torch.tensor(vae.config.latents_std).view(1, -1, 1, 1)
    strength = FLAW * torch.rand((len(pixels), 1, 1, 1), generator=generator)
    latents += strength * spread * torch.randn(latents.shape, generator=generator)
    images = vae.decode(latents.to(vae.device)).sample.cpu()
    decoded: Tensor = ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return decoded.permute(0, 2, 3, 1)
