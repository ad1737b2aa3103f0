"""FLUX.2's autoencoder: two by two latents are folded into one, and each channel is normalised as in its training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorarar.generation.autoencoders.autoencoder_kind import AutoencoderKind
from lorarar.generation.folded_latents import folded, unfolded

if TYPE_CHECKING:
    from torch import Tensor


class Flux2VaeKind(AutoencoderKind):
    """Mean and deviation are what its batch normalisation has kept of its training's pictures."""

    patch = 2

    def encode(self, vae: Any, pixels: Tensor) -> Tensor:
        return folded(vae.encode(pixels).latent_dist.mean)

    def scale(self, vae: Any) -> tuple[Tensor, Tensor]:
        mean, deviation = _statistics(vae)
        return mean, 1 / deviation

    def decode(self, vae: Any, latents: Tensor) -> Tensor:
        mean, deviation = (one.to(latents.device) for one in _statistics(vae))
        pixels: Tensor = vae.decode(unfolded(latents * deviation + mean).to(vae.dtype), return_dict=False)[0]
        return pixels

    def channels(self, vae: Any) -> int:
        return int(vae.config.latent_channels) * self.patch**2


def normalised(vae: Any, latents: Tensor) -> Tensor:
    """The autoencoder's own latents (N, C, 2h, 2w) as the denoiser has them (N, 4 C, h, w), in single precision.

    So what comes of them when they are decoded is, to the last bit of a half precision, what these were.
    """
    mean, deviation = (one.to(latents.device) for one in _statistics(vae))
    return (folded(latents.float()) - mean) / deviation


def _statistics(vae: Any) -> tuple[Tensor, Tensor]:
    """Mean and deviation (1, 4 C, 1, 1) of folded latents, in single precision."""
    mean, variance = (one.float().view(1, -1, 1, 1) for one in (vae.bn.running_mean, vae.bn.running_var))
    return mean, (variance + vae.config.batch_norm_eps).sqrt()
