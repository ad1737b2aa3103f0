"""Stable Diffusion's autoencoder, which FLUX.1 and Z-Image have too, with more channels and a shift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorarar.generation.autoencoders.autoencoder_kind import AutoencoderKind

if TYPE_CHECKING:
    from torch import Tensor


class KlKind(AutoencoderKind):
    """Shift and factor are its configuration's; ``latents_mean`` and ``latents_std`` count where it has them."""

    def encode(self, vae: Any, pixels: Tensor) -> Tensor:
        mean: Tensor = vae.encode(pixels).latent_dist.mean
        return mean

    def scale(self, vae: Any) -> tuple[Tensor, Tensor]:
        import torch

        config = vae.config
        channels = config.latent_channels
        mean = torch.tensor(config.latents_mean or [config.shift_factor or 0.0] * channels)
        deviation = torch.tensor(config.latents_std or [1.0] * channels)
        return mean.view(1, -1, 1, 1), (config.scaling_factor / deviation).view(1, -1, 1, 1)

    def decode(self, vae: Any, latents: Tensor) -> Tensor:
        import torch

        config = vae.config
        latents = latents.to(vae.dtype)
        if config.latents_mean is not None and config.latents_std is not None:
            shift, scale = (
                torch.tensor(one).view(1, -1, 1, 1).to(latents) for one in (config.latents_mean, config.latents_std)
            )
            latents = latents * scale / config.scaling_factor + shift
        else:
            latents = latents / config.scaling_factor
            if config.shift_factor:
                latents = latents + config.shift_factor
        pixels: Tensor = vae.decode(latents, return_dict=False)[0]
        return pixels
