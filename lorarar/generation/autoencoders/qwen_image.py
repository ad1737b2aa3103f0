"""Qwen-Image's autoencoder, made for films: a picture is a film of one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorarar.generation.autoencoders.autoencoder_kind import AutoencoderKind

if TYPE_CHECKING:
    from torch import Tensor


class QwenVaeKind(AutoencoderKind):
    """Mean and deviation of each channel are its configuration's."""

    def encode(self, vae: Any, pixels: Tensor) -> Tensor:
        mean: Tensor = vae.encode(pixels.unsqueeze(2)).latent_dist.mean
        return mean.squeeze(2)

    def scale(self, vae: Any) -> tuple[Tensor, Tensor]:
        import torch

        mean, deviation = (torch.tensor(one) for one in (vae.config.latents_mean, vae.config.latents_std))
        return mean.view(1, -1, 1, 1), 1 / deviation.view(1, -1, 1, 1)

    def decode(self, vae: Any, latents: Tensor) -> Tensor:
        latents = latents.to(vae.dtype)
        shift, factor = (one.to(latents) for one in self.scale(vae))
        pixels: Tensor = vae.decode((latents / factor + shift).unsqueeze(2), return_dict=False)[0]
        return pixels.squeeze(2)

    def channels(self, vae: Any) -> int:
        return int(vae.config.z_dim)
