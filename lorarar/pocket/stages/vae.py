"""Stage ``vae``: an AutoencoderKL from 64 px to 16 x 16 x 4, and the scale of its latents.

The loss is L1 plus L1 of finite differences, which keeps lines sharp where L1 alone blurs them.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import Tensor

from lorarar.generation.latents import encode_images
from lorarar.pocket import shipped
from lorarar.pocket.build_context import Workshop
from lorarar.pocket.training_pictures import Pictures
from lorarar.training.loop import Objective, Schedule, pick, train

STEPS, BATCH, RATE = 6000, 16, 2e-3

CONFIG = {
    "in_channels": 3,
    "out_channels": 3,
    "down_block_types": ["DownEncoderBlock2D"] * 3,
    "up_block_types": ["UpDecoderBlock2D"] * 3,
    "block_out_channels": [16, 32, 64],
    "layers_per_block": 1,
    "latent_channels": 4,
    "norm_num_groups": 8,
    "sample_size": 64,
    "mid_block_add_attention": False,
}


def to_tensor(pixels: Tensor) -> Tensor:
    """uint8 pictures (N, H, W, 3) as floats (N, 3, H, W) in -1..1."""
    return pixels.permute(0, 3, 1, 2).float() / 127.5 - 1


def differences(images: Tensor) -> tuple[Tensor, Tensor]:
    """Finite differences down and across."""
    return images[..., 1:, :] - images[..., :-1, :], images[..., :, 1:] - images[..., :, :-1]


class Autoencoding(Objective):
    """Reconstruction, line sharpness and a weak pull of the latents to a unit Gaussian."""

    def __init__(
        self, vae: AutoencoderKL, pictures: Pictures, size: int, kl: float = 1e-3, frozen: bool = False
    ) -> None:
        """``size`` pictures a batch; ``frozen`` keeps the encoder (and so all latents) as it is."""
        super().__init__()
        self.vae, self.size, self.kl = vae, size, kl
        self.pixels = torch.from_numpy(pictures.pixels)
        if frozen:
            for part in (vae.encoder, vae.quant_conv):
                part.requires_grad_(False)

    def batch(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        images = to_tensor(self.pixels[pick(generator, len(self.pixels), self.size)])
        mirrored = torch.rand(self.size, generator=generator) < 0.5
        images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
        noise = torch.randn((self.size, 4, 16, 16), generator=generator)
        device = next(self.vae.parameters()).device
        return images.to(device, memory_format=torch.channels_last), noise.to(device)

    def forward(self, images: Tensor, noise: Tensor) -> Tensor:
        mean, logvar = self.vae.quant_conv(self.vae.encoder(images)).chunk(2, dim=1)
        logvar = logvar.clamp(-20, 10)
        drawn = self.vae.decoder(self.vae.post_quant_conv(mean + noise * torch.exp(0.5 * logvar)))
        loss = F.l1_loss(drawn, images)
        for ours, theirs in zip(differences(drawn), differences(images), strict=True):
            loss = loss + 0.5 * F.l1_loss(ours, theirs)
        divergence: Tensor = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).mean()
        return loss + self.kl * divergence


def run_vae(workshop: Workshop) -> None:
    """Train the VAE, from what is shipped if anything is, measure its latents, and ship it.

    Where a base is shipped already the encoder stays as it is: its latents are what the UNet knows.
    """
    pictures = Pictures.load(workshop.pictures)
    shipped_vae = shipped.BASE / "vae"
    known = shipped_vae.is_dir() and not workshop.fresh
    torch.manual_seed(workshop.seed)
    vae = AutoencoderKL.from_pretrained(shipped_vae) if known else AutoencoderKL(**CONFIG)
    objective = Autoencoding(vae.to(memory_format=torch.channels_last), pictures, BATCH, frozen=known)
    plan = Schedule(workshop.steps or STEPS, RATE, workshop.seed, warmup=100, ema=0.995)
    run = train(objective, plan, workshop.checkpoint("vae"), title="vae", accelerator=workshop.accelerator())
    if not known:
        measure_latents(vae, pictures)
    loss = reconstruction(vae, pictures)
    vae.half().save_pretrained(shipped_vae)
    shipped.forget_places(shipped_vae)
    shipped.record("vae", steps=run.step, batch=BATCH, seconds=round(run.seconds), seed=workshop.seed, l1=loss)


@torch.no_grad()
def measure_latents(vae: AutoencoderKL, pictures: Pictures) -> None:
    """Put the latents' mean and deviation per channel into the VAE's config, where the SDXL pipeline reads them."""
    vae.register_to_config(latents_mean=None, latents_std=None, scaling_factor=1.0)
    latents = encode_images(vae, to_tensor(torch.from_numpy(pictures.pixels[::4])))
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    vae.register_to_config(latents_mean=mean.tolist(), latents_std=deviation.tolist())


@torch.no_grad()
def reconstruction(vae: AutoencoderKL, pictures: Pictures) -> float:
    """Mean absolute error of 512 pictures passed through the VAE, on a scale of -1..1."""
    images = to_tensor(torch.from_numpy(pictures.pixels[:: len(pictures.pixels) // 512]))
    device = vae.device
    drawn = torch.cat([vae(part.to(device)).sample.cpu() for part in torch.split(images, 64)])
    return round(float(F.l1_loss(drawn, images)), 4)
