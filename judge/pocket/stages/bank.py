"""Stage ``bank``: the labelled pictures that Pocket's judges learn from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL

from judge.pocket import shipped as judges
from judge.pocket.bank import paint_bank
from lorarar.pocket import shipped
from lorarar.pocket.art import draw_all
from lorarar.pocket.stages.vae import to_tensor
from lorarar.pocket.workshop import Workshop


def bank_file(workshop: Workshop) -> Path:
    """Where a build keeps the judges' training pictures."""
    return workshop.folder / "bank.npz"


@torch.no_grad()
def run_bank(workshop: Workshop) -> None:
    """Paint them, pass them through the shipped VAE, keep both in the workshop."""
    bank = paint_bank(draw_all(workshop.folder / "art"), workshop.seed)
    vae = AutoencoderKL.from_pretrained(shipped.BASE / "vae", dtype=torch.float32)
    parts = []
    for pixels in torch.split(torch.from_numpy(bank.pixels), 64):
        drawn = vae.decode(vae.encode(to_tensor(pixels)).latent_dist.mean).sample
        parts.append(((drawn.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1))
    decoded = torch.cat(parts).contiguous().numpy()
    replace(bank, decoded=decoded).save(bank_file(workshop))
    judges.record(
        "bank",
        pictures=len(decoded),
        designs=int(bank.designs.max()) + 1,
        looks=int(bank.looks.max()),
        seed=workshop.seed,
    )
