"""Z-Image: one stream of 30 blocks behind two refiners; its first authors keep queries, keys and values together."""

from __future__ import annotations

from lorarar.families.architecture import Architecture, Component
from lorarar.families.drawing_defaults import DrawingDefaults
from lorarar.families.family import Base, Family, Modules
from lorarar.families.flux1 import AUTOENCODER
from lorarar.families.layer_table import TABLES
from lorarar.families.listing import Listing
from lorarar.families.module_names import ModuleNames, OriginalModule
from lorarar.families.qwen import QWEN3_4B, reader

_BLOCKS = ("layers.{}", "noise_refiner.{}", "context_refiner.{}")
_PATCHES = "2-1"  # diffusers has both ends once for each size of patches; of Z-Image there is this
MODULES = (
    *(
        OriginalModule(f"{block}.attention.qkv", tuple(f"{block}.attention.to_{part}" for part in "qkv"))
        for block in _BLOCKS
    ),
    *(OriginalModule(f"{block}.attention.out", (f"{block}.attention.to_out.0",)) for block in _BLOCKS),
    # of these ComfyUI takes diffusers' names too, and diffusers no others
    OriginalModule("x_embedder", (f"all_x_embedder.{_PATCHES}",), read_alone=True),
    OriginalModule("final_layer.linear", (f"all_final_layer.{_PATCHES}.linear",), read_alone=True),
    OriginalModule(
        "final_layer.adaLN_modulation.1", (f"all_final_layer.{_PATCHES}.adaLN_modulation.1",), read_alone=True
    ),
)


def base() -> Base:
    """Tongyi's Z-Image, on the hub; Z-Image-Turbo is built alike."""
    return Base("z-image", "Tongyi-MAI/Z-Image")


Z_IMAGE = Family(
    name="z-image",
    base=base,
    pipeline="diffusers:ZImagePipeline",
    modules=Modules(denoiser="transformer", text_encoders=(), unchanged=("text_encoder",)),
    defaults=DrawingDefaults(steps=50, guidance=4.0, side=1024, half="bfloat16"),
    architecture=Architecture(
        title="Z-Image",
        layers=TABLES / "z-image.txt",
        names=ModuleNames(
            MODULES, TABLES / "z-image.txt", bases=("Z-Image",), halves=(".lora.down.weight", ".lora.up.weight")
        ),
        components={
            "transformer": Component("diffusers:ZImageTransformer2DModel", {}),
            "text_encoder": reader(QWEN3_4B),
            "vae": AUTOENCODER,
            "scheduler": Component("diffusers:FlowMatchEulerDiscreteScheduler", {"shift": 6.0}),
        },
        gigabytes=20.5,
        listing=Listing("zimage", "Z-Image", "1024x1024"),
    ),
)
