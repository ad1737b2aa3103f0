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
from lorarar.pocket.build_context import BuildContext
from lorarar.pocket.image_tensors import mirror_some, to_tensor
from lorarar.pocket.training_pictures import TrainingPictures
from lorarar.training.loop import Objective, Schedule, pick

SCHEDULE = Schedule(steps=6000, rate=2e-3, warmup=100, ema=0.995)
BATCH = 16

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


def differences(images: Tensor) -> tuple[Tensor, Tensor]:
    """Finite differences down and across."""
    return images[..., 1:, :] - images[..., :-1, :], images[..., :, 1:] - images[..., :, :-1]


class VaeObjective(Objective):
    """Reconstruction, line sharpness and a weak pull of the latents to a unit Gaussian."""

    def __init__(
        self, vae: AutoencoderKL, pictures: TrainingPictures, size: int, kl: float = 1e-3, frozen: bool = False
    ) -> None:
        """Take the pictures that batches come from.

        Args:
            vae: the one to train.
            pictures: to be encoded and decoded.
            size: pictures of a batch.
            kl: weight of the pull to a unit Gaussian.
            frozen: whether the encoder, and so all latents, stay as they are.
        """
        super().__init__()
        self.vae, self.size, self.kl = vae, size, kl
        self.pixels = torch.from_numpy(pictures.pixels)
        if frozen:
            for part in (vae.encoder, vae.quant_conv):
                part.requires_grad_(False)

    def batch(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Pictures (N, 3, 64, 64) and noise for their latents (N, 4, 16, 16)."""
        images = mirror_some(to_tensor(self.pixels[pick(generator, len(self.pixels), self.size)]), 0.5, generator)
        noise = torch.randn((self.size, 4, 16, 16), generator=generator)
        device = next(self.vae.parameters()).device
        return images.to(device, memory_format=torch.channels_last), noise.to(device)

    def forward(self, images: Tensor, noise: Tensor) -> Tensor:
        """The loss of one batch."""
        mean, logvar = self.vae.quant_conv(self.vae.encoder(images)).chunk(2, dim=1)
        logvar = logvar.clamp(-20, 10)
        decoded = self.vae.decoder(self.vae.post_quant_conv(mean + noise * torch.exp(0.5 * logvar)))
        loss = F.l1_loss(decoded, images)
        for ours, theirs in zip(differences(decoded), differences(images), strict=True):
            loss = loss + 0.5 * F.l1_loss(ours, theirs)
        divergence: Tensor = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).mean()
        return loss + self.kl * divergence


def run_vae(context: BuildContext) -> None:
    """Train the VAE, from what is shipped if anything is, measure its latents, and ship it.

    Where a base is shipped already the encoder stays as it is: its latents are what the UNet has learnt to read.
    """
    pictures = TrainingPictures.load(context.pictures)
    folder = shipped.BASE / "vae"
    going_on = folder.is_dir() and not context.fresh
    torch.manual_seed(context.seed)
    vae = AutoencoderKL.from_pretrained(folder) if going_on else AutoencoderKL(**CONFIG)
    objective = VaeObjective(vae.to(memory_format=torch.channels_last), pictures, BATCH, frozen=going_on)
    run = context.train("vae", objective, context.adjust(SCHEDULE))
    if not going_on:
        measure_latents(vae, pictures)
    l1 = reconstruction_error(vae, pictures)
    vae.half().save_pretrained(folder)
    shipped.remove_local_paths(folder)
    shipped.MANIFEST.record("vae", steps=run.step, batch=BATCH, seconds=round(run.seconds), seed=context.seed, l1=l1)


@torch.no_grad()
def measure_latents(vae: AutoencoderKL, pictures: TrainingPictures) -> None:
    """Put the latents' mean and deviation per channel into the VAE's config, where the SDXL pipeline reads them."""
    vae.register_to_config(latents_mean=None, latents_std=None, scaling_factor=1.0)
    latents = encode_images(vae, to_tensor(torch.from_numpy(pictures.pixels[::4])))
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
    vae.register_to_config(latents_mean=mean.tolist(), latents_std=deviation.tolist())


@torch.no_grad()
def reconstruction_error(vae: AutoencoderKL, pictures: TrainingPictures) -> float:
    """Mean absolute error of 512 pictures passed through the VAE, on a scale of -1..1."""
    images = to_tensor(torch.from_numpy(pictures.pixels[:: len(pictures.pixels) // 512]))
    decoded = torch.cat([vae(part.to(vae.device)).sample.cpu() for part in torch.split(images, 64)])
    return round(float(F.l1_loss(decoded, images)), 4)
