"""Loading a base model, and what its files say without loading it.

Nothing here imports torch or diffusers before a model is really loaded. Only the class that the
base's family names is ever loaded: no remote code, no custom pipeline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorarar.families import Base, family_of
from lorarar.lora.header import read_shapes
from lorarar.util.errors import BaseError, reason

if TYPE_CHECKING:
    import torch
    from diffusers import StableDiffusionXLPipeline


def drawing_device(device: str | None = None) -> str:
    """The device that pictures are drawn on: the given one, else a GPU if there is one.

    Raises:
        BaseError: this machine has no such device.
    """
    import torch

    if device is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError):  # as torch says no such name, build, driver or number
        graphics = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
        there = ["cpu", *(["cuda"] if graphics else []), *graphics]
        raise BaseError(
            f"--device is {device!r}, which is not to be had here; accepted are {', '.join(there)}"
        ) from None
    return device


def drawing_dtype(device: str) -> torch.dtype:
    """The numbers that pictures are drawn with on a device."""
    import torch

    return torch.float16 if device.startswith("cuda") else torch.float32


def load_pipeline(base: Base, device: str | None = None, dtype: torch.dtype | None = None) -> StableDiffusionXLPipeline:
    """The base as its family's pipeline on a device (by default a GPU if there is one).

    Raises:
        BaseError: the model cannot be found or loaded.
    """
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    family = family_of(base)
    kind = family.pipeline_class()
    for logging in (diffusers_logging, transformers_logging):
        logging.disable_progress_bar()
    device = drawing_device(device)
    dtype = dtype or drawing_dtype(device)
    try:
        pipeline = kind.from_pretrained(base.location, revision=base.revision, dtype=dtype, **family.pipeline_options)
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise BaseError(f"cannot load {base.name} as a {kind.__name__}: {reason(error)}") from None
    pipeline.set_progress_bar_config(disable=True)
    placed: StableDiffusionXLPipeline = pipeline.to(device)
    return placed


def denoiser_shapes(base: Base) -> dict[str, tuple[int, ...]] | None:
    """Shapes of the denoiser's weights by adapter layer name, from file headers alone.

    None where the weights are not in a local folder: then an adapter cannot be checked against them.
    """
    if base.folder is None:
        return None
    shapes: dict[str, tuple[int, ...]] = {}
    denoiser = family_of(base).modules.denoiser
    for file in sorted((base.folder / denoiser).glob("*.safetensors")):
        for key, shape in read_shapes(file, BaseError).items():
            if key.endswith(".weight"):
                shapes[f"{denoiser}.{key.removesuffix('.weight')}"] = shape
    return shapes or None
