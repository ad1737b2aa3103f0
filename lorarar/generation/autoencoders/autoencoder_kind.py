"""What is to be known of a kind of autoencoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from torch import Tensor


class AutoencoderKind:
    """How the autoencoders of one class are used; latents are (N, C, h, w), in the numbers that a denoiser takes.

    An autoencoder's own latents are what it codes with; a denoiser takes them shifted and scaled.
    """

    patch: ClassVar[int] = 1  # places a side of the autoencoder's own latents that are one of these

    def encode(self, vae: Any, pixels: Tensor) -> Tensor:
        """The posterior's mean (N, C, h, w) of pixels (N, 3, H, W) in -1..1, neither shifted nor scaled."""
        raise NotImplementedError

    def scale(self, vae: Any) -> tuple[Tensor, Tensor]:
        """Shift and factor (1, C, 1, 1) with which latents enter the denoiser: ``(latents - shift) * factor``."""
        raise NotImplementedError

    def decode(self, vae: Any, latents: Tensor) -> Tensor:
        """The pixels (N, 3, H, W) in -1..1 of latents as the denoiser has them."""
        raise NotImplementedError

    def channels(self, vae: Any) -> int:
        """Channels of the latents as the denoiser has them."""
        return int(vae.config.latent_channels)
