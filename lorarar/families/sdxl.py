"""SDXL, the family of the paper."""

from __future__ import annotations

from lorarar.families.drawing_defaults import DrawingDefaults
from lorarar.families.family import Base, Family, Modules


def base() -> Base:
    """Stability AI's base model, version 1.0, on the hub."""
    return Base("sdxl", "stabilityai/stable-diffusion-xl-base-1.0")


SDXL = Family(
    name="sdxl",
    base=base,
    pipeline="diffusers:StableDiffusionXLPipeline",
    modules=Modules(denoiser="unet", text_encoders=("text_encoder", "text_encoder_2")),
    pipeline_options={"add_watermarker": False},
    defaults=DrawingDefaults(steps=50, guidance=5.0, side=1024),
)
