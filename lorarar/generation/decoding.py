"""From the latents that the sampler ends with to pictures, or to an error: never to a black picture.

Invariant: how a picture is decoded depends on its size alone where that can be seen in it. A batch of small pictures is
decoded at once, larger ones one by one, and one above ``UNTILED`` pixels in overlapping tiles, which blend softly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lorarar.generation.autoencoders.table import autoencoder_kind
from lorarar.util.errors import DrawingError

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

AT_ONCE = 1024 * 1024  # pixels; SDXL's VAE takes about 3 GB for as many in half precision
UNTILED = 1536 * 1536  # pixels of one picture


def decode(pipeline: Any, latents: Tensor, seeds: Sequence[int]) -> list[Image.Image]:
    """The pictures of latents (N, C, h, w), in order, with the seed of each.

    Raises:
        DrawingError: latents or pixels are not finite.
    """
    import torch

    _check_finite(latents, seeds, "the sampler ended in")
    kind = autoencoder_kind(pipeline.vae)
    pixels = latents.shape[2] * latents.shape[3] * (kind.patch * pipeline.vae_scale_factor) ** 2
    pipeline.vae.use_tiling = pixels > UNTILED
    with torch.no_grad():
        parts = [kind.decode(pipeline.vae, part) for part in torch.split(latents, max(1, AT_ONCE // pixels))]
    values = torch.cat(parts)
    _check_finite(values, seeds, "the VAE made of it")
    pipeline.maybe_free_model_hooks()
    images: list[Image.Image] = pipeline.image_processor.postprocess(values, output_type="pil")
    return images


def keep_vae_exact(vae: Any) -> None:
    """Hold a VAE in float32 whose configuration says that it overflows in half precision, as SDXL's own does."""
    import torch

    if getattr(vae.config, "force_upcast", False) and vae.dtype in (torch.float16, torch.bfloat16):
        vae.to(torch.float32)


def _check_finite(values: Tensor, seeds: Sequence[int], what: str) -> None:
    """Refuse pictures (N, ...) of which a value is not finite.

    Raises:
        DrawingError: there is one; the message says of which seed.
    """
    import torch

    finite = torch.isfinite(values).flatten(1).all(dim=1).tolist()
    if not all(finite):
        more = "" if values.dtype == torch.float32 else ", or try --dtype float32"
        raise DrawingError(
            f"there is no picture of seed {seeds[finite.index(False)]}: {what} numbers that are not finite; take less "
            f"guidance or weaker LoRAs{more}"
        )
