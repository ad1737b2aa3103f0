"""Loading a base model, and what its files say without loading it.

Nothing here imports torch or diffusers before a model is really loaded. Only the class that the
base's family names is ever loaded: no remote code, no custom pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lorarar.families import Base, Prediction, family_of
from lorarar.generation.checkpoint import PREDICTION_TYPES, load_checkpoint
from lorarar.generation.drawable import check_drawable
from lorarar.generation.hub import advice
from lorarar.generation.pipeline_folder import variant_in
from lorarar.generation.vae import VAE, check_vae, load_vae
from lorarar.util.errors import BaseError, reason
from lorarar.util.out_of_memory import is_out_of_memory
from lorarar.util.suggestion import did_you_mean

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
        there += ["mps"] if torch.backends.mps.is_available() else []
        raise BaseError(
            f"--device is {device!r}, which is not to be had here; accepted are {', '.join(there)}"
            f"{did_you_mean(device, there[1:])}"  # gpu is no slip of cpu
        ) from None
    return device


def drawing_dtype(base: Base, device: str) -> torch.dtype:
    """The numbers that pictures of a base are drawn with on a device: on CUDA those of its family."""
    import torch

    half: torch.dtype = getattr(torch, family_of(base).defaults.half)
    return half if device.startswith("cuda") else torch.float32


def load_pipeline(base: Base, device: str | None = None, dtype: torch.dtype | None = None) -> StableDiffusionXLPipeline:
    """The base as its family's pipeline on a device (by default a GPU if there is one).

    Raises:
        BaseError: the model cannot be found or loaded.
    """
    device = drawing_device(device)
    placed: StableDiffusionXLPipeline = load_weights(base, dtype or drawing_dtype(base, device)).to(device)
    return aligned(placed) if base.file and device == "cpu" else placed


def aligned(pipeline: StableDiffusionXLPipeline) -> StableDiffusionXLPipeline:
    """The pipeline, its weights in memory of their own, where they begin as torch lets tensors begin.

    On the CPU they are else the file's own memory, where they begin is decided by the length of its header, and by that
    the last bits of what is computed with them.
    """
    for model in pipeline.components.values():
        for weight in model.parameters() if hasattr(model, "parameters") else ():
            weight.data = weight.data.clone()
    return pipeline


def load_weights(base: Base, dtype: torch.dtype, vae_dtype: torch.dtype | None = None) -> Any:
    """The base as its family's pipeline on the CPU, with the VAE and for the prediction that it names.

    Args:
        base: which.
        dtype: of its weights.
        vae_dtype: of its VAE's, where that is to be another.

    Raises:
        BaseError: the model cannot be found or loaded.
    """
    family = family_of(base)
    check_drawable(family)
    kind = family.pipeline_class()
    with _quiet():
        named = replace(base, vae=base.location) if base.file and vae_dtype and not base.vae else base
        parts = {VAE: load_vae(named, vae_dtype or dtype)} if named.vae else {}
        try:
            if base.file:
                pipeline = load_checkpoint(base.file, family, dtype, parts)
            else:
                pipeline = kind.from_pretrained(
                    base.location,
                    revision=base.revision,
                    variant=base.variant or (variant_in(base.folder) if base.folder else None),
                    dtype={"default": dtype, VAE: vae_dtype} if vae_dtype else dtype,
                    **{**family.pipeline_options, **parts},
                )
        except (OSError, ValueError, TypeError, AttributeError, KeyError, RuntimeError) as error:
            if is_out_of_memory(error):
                raise
            hint = (
                "" if base.folder or base.file else f"; where not all of it is here, {advice(base.location, '--base')}"
            )
            raise BaseError(f"cannot load {base.name} as a {kind.__name__}: {reason(error)}{hint}") from None
    if base.vae:
        check_vae(base, pipeline)
    if base.prediction:
        pipeline.scheduler = with_prediction(pipeline.scheduler, base.prediction)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def with_prediction(scheduler: Any, prediction: Prediction) -> Any:
    """The scheduler for a denoiser that predicts this."""
    return type(scheduler).from_config(scheduler.config, prediction_type=PREDICTION_TYPES[prediction])


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the libraries show while they load; what matters of it is checked here."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    before = [(logging, logging.get_verbosity()) for logging in (diffusers_logging, transformers_logging)]
    for logging, _ in before:
        logging.disable_progress_bar()
        logging.set_verbosity_error()
    try:
        yield
    finally:
        for logging, verbosity in before:
            logging.set_verbosity(verbosity)
