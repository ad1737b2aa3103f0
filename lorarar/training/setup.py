"""The start of every training: the base on the accelerator's device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from accelerate import Accelerator

from lorarar.families import Base
from lorarar.generation.bases import aligned, load_weights
from lorarar.generation.denoisers.table import denoiser_of, pipeline_kind

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline

_DTYPES = {"no": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def load_for_training(base: Base, accelerator: Accelerator) -> StableDiffusionXLPipeline:
    """The base with its denoiser on the accelerator's device, in the mixed precision's dtype.

    The text encoders and the VAE, which is in single precision, stay on the CPU: they go to that device when they are
    used (``residing``), which is before the first step.
    """
    dtype = _DTYPES.get(accelerator.mixed_precision, torch.float32)
    pipeline: StableDiffusionXLPipeline = load_weights(base, dtype, vae_dtype=torch.float32)
    denoiser_of(pipeline).to(accelerator.device)
    return aligned(pipeline) if base.file and accelerator.device.type == "cpu" else pipeline


def native_side(pipeline: StableDiffusionXLPipeline) -> int:
    """Pixels a side that the base was trained for."""
    return pipeline_kind(pipeline).native_side(pipeline)
