"""Stage ``bank``: the labelled pictures that Pocket's judges learn from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch import Tensor

from judge.pocket import shipped as judges
from judge.pocket.bank import paint_bank
from judge.pocket.extra_classes import draw_more
from lorarar.pocket import shipped
from lorarar.pocket.build_context import Workshop
from lorarar.pocket.stages.vae import to_tensor

FLAW = 0.4  # largest noise on a latent, in deviations of its channel


def bank_file(workshop: Workshop) -> Path:
    """Where a build keeps the judges' training pictures."""
    return workshop.folder / "bank.npz"


@torch.no_grad()
def run_bank(workshop: Workshop) -> None:
    """Paint them, pass them through the shipped VAE, keep both in the workshop."""
    bank = paint_bank(draw_more(workshop.folder / "art"), workshop.seed)
    vae = AutoencoderKL.from_pretrained(shipped.BASE / "vae", dtype=torch.float32)
    generator = torch.Generator().manual_seed(workshop.seed)
    parts = [_flawed(vae, pixels, generator) for pixels in torch.split(torch.from_numpy(bank.pixels), 64)]
    replace(bank, decoded=torch.cat(parts).contiguous().numpy()).save(bank_file(workshop))
    judges.record(
        "bank",
        pictures=len(bank.pixels),
        designs=int(bank.designs.max()) + 1,
        looks=int(bank.looks.max()),
        seed=workshop.seed,
    )


def _flawed(vae: AutoencoderKL, painted: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures (N, H, W, 3) decoded from latents that are a little off, each by as much as it happens."""
    latents = vae.encode(to_tensor(painted)).latent_dist.mean
    spread = torch.tensor(vae.config.latents_std).view(1, -1, 1, 1)
    strength = FLAW * torch.rand((len(painted), 1, 1, 1), generator=generator)
    drawn = vae.decode(latents + strength * spread * torch.randn(latents.shape, generator=generator)).sample
    pixels: Tensor = ((drawn.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return pixels.permute(0, 2, 3, 1)
