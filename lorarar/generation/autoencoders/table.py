"""The one table of kinds of autoencoders, by the names of their classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lorarar.generation.autoencoders.autoencoder_kind import AutoencoderKind
from lorarar.generation.autoencoders.flux2 import Flux2VaeKind
from lorarar.generation.autoencoders.kl import KlKind
from lorarar.generation.autoencoders.qwen_image import QwenVaeKind
from lorarar.generation.class_rows import class_row
from lorarar.util.errors import BaseError

AUTOENCODER_KINDS: Mapping[str, AutoencoderKind] = {
    "AutoencoderKL": KlKind(),
    "AutoencoderKLFlux2": Flux2VaeKind(),
    "AutoencoderKLQwenImage": QwenVaeKind(),
}


def autoencoder_kind(vae: Any) -> AutoencoderKind:
    """How an autoencoder is used: by its class, one that this is made of, or that of a model which it is around.

    Raises:
        BaseError: its class has no row.
    """
    kind = class_row(vae, AUTOENCODER_KINDS)
    if kind is None:
        accepted = ", ".join(AUTOENCODER_KINDS)
        raise BaseError(f"no latents are made with a {type(vae).__name__}; accepted are {accepted}")
    return kind
