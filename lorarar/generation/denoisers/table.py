"""The one table of kinds of denoisers, by the names of their classes, and what is asked of a base through it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lorarar.generation.class_rows import class_row
from lorarar.generation.denoisers.denoiser_kind import DenoiserKind
from lorarar.generation.denoisers.flux1 import Flux1Kind
from lorarar.generation.denoisers.flux2 import Flux2Kind
from lorarar.generation.denoisers.qwen_image import QwenImageKind
from lorarar.generation.denoisers.unet import UnetKind
from lorarar.generation.denoisers.z_image import ZImageKind
from lorarar.util.errors import BaseError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from lorarar.generation.denoisers.conditioning import Conditioning

DENOISER_KINDS: Mapping[str, DenoiserKind] = {
    "UNet2DConditionModel": UnetKind(),
    "FluxTransformer2DModel": Flux1Kind(),
    "Flux2Transformer2DModel": Flux2Kind(),
    "QwenImageTransformer2DModel": QwenImageKind(),
    "ZImageTransformer2DModel": ZImageKind(),
}
_COMPONENTS = tuple(dict.fromkeys(kind.component for kind in DENOISER_KINDS.values()))


def denoiser_of(pipeline: Any) -> Any:
    """The denoiser of a pipeline.

    Raises:
        BaseError: it has none.
    """
    models = (getattr(pipeline, component, None) for component in _COMPONENTS)
    model = next((model for model in models if model is not None), None)
    if model is None:
        raise BaseError(f"{type(pipeline).__name__} has no denoiser; accepted are pipelines with {_accepted()}")
    return model


def kind_of(model: Any) -> DenoiserKind:
    """How a denoiser is used: by its class, one that this is made of, or that of a model which it is around.

    Raises:
        BaseError: its class has no row.
    """
    kind = class_row(model, DENOISER_KINDS)
    if kind is None:
        raise BaseError(f"nothing is drawn with and trained on a {type(model).__name__}; accepted are {_accepted()}")
    return kind


def pipeline_kind(pipeline: Any) -> DenoiserKind:
    """How the denoiser of a pipeline is used; raises as ``denoiser_of`` and ``kind_of``."""
    return kind_of(denoiser_of(pipeline))


def predict(model: Any, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
    """A denoiser's prediction (N, C, h, w) for noisy latents."""
    return kind_of(model).predict(model, noisy, timesteps, conditioning)


def encode_prompts(pipeline: Any, prompts: list[str], side: int, device: torch.device | None = None) -> Conditioning:
    """The conditioning of prompts, as the pipeline's encoders give it, for square pictures of ``side`` pixels.

    Args:
        pipeline: the base.
        prompts: as many as the conditioning is of.
        side: of the pictures.
        device: where the text encoders are; by default the pipeline's own.
    """
    return pipeline_kind(pipeline).encode_prompts(pipeline, prompts, side, device or pipeline.device)


def _accepted() -> str:
    return ", ".join(DENOISER_KINDS)
