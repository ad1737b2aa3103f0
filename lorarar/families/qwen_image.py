"""Qwen-Image: 60 blocks of two streams, which its first authors name as diffusers does."""

from __future__ import annotations

from lorarar.families.architecture import Architecture, Component
from lorarar.families.drawing_defaults import DrawingDefaults
from lorarar.families.family import Base, Family, Modules
from lorarar.families.layer_table import TABLES
from lorarar.families.listing import Listing
from lorarar.families.module_names import ModuleNames
from lorarar.families.qwen import VISION


def base() -> Base:
    """The Qwen team's Qwen-Image, on the hub."""
    return Base("qwen-image", "Qwen/Qwen-Image")


QWEN_IMAGE = Family(
    name="qwen-image",
    base=base,
    pipeline="diffusers:QwenImagePipeline",
    modules=Modules(denoiser="transformer", text_encoders=(), unchanged=("text_encoder",)),
    defaults=DrawingDefaults(steps=50, guidance=4.0, side=1328, half="bfloat16"),
    architecture=Architecture(
        title="Qwen-Image",
        layers=TABLES / "qwen-image.txt",
        names=ModuleNames((), TABLES / "qwen-image.txt", bases=("Qwen-Image",)),
        components={
            "transformer": Component("diffusers:QwenImageTransformer2DModel", {}),
            "text_encoder": VISION,
            "vae": Component("diffusers:AutoencoderKLQwenImage", {}),
            "scheduler": Component("diffusers:FlowMatchEulerDiscreteScheduler", {"use_dynamic_shifting": True}),
        },
        gigabytes=57.7,
        listing=Listing("qwen_image", "Qwen-Image", "1328x1328"),
    ),
)
