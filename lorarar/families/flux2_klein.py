"""FLUX.2 [klein], of 4 and of 9 thousand million parameters: its blocks of one stream have one matrix for all."""

from __future__ import annotations

from collections.abc import Callable

from lorarar.families.architecture import Architecture, Component
from lorarar.families.drawing_defaults import DrawingDefaults
from lorarar.families.family import Base, Family, Modules
from lorarar.families.flux1 import FLUX_MODULES
from lorarar.families.layer_table import TABLES
from lorarar.families.listing import Listing
from lorarar.families.module_names import ModuleNames, OriginalModule
from lorarar.families.qwen import QWEN3_4B, QWEN3_8B, reader

_DOUBLE, _SINGLE = "transformer_blocks.{}", "single_transformer_blocks.{}"
_TIMES = {"time_in": "timestep_embedder", "guidance_in": "guidance_embedder"}
_LINEAR = {"in_layer": "linear_1", "out_layer": "linear_2"}
MODULES = (
    *FLUX_MODULES,
    OriginalModule("double_blocks.{}.img_mlp.0", (f"{_DOUBLE}.ff.linear_in",)),
    OriginalModule("double_blocks.{}.img_mlp.2", (f"{_DOUBLE}.ff.linear_out",)),
    OriginalModule("double_blocks.{}.txt_mlp.0", (f"{_DOUBLE}.ff_context.linear_in",)),
    OriginalModule("double_blocks.{}.txt_mlp.2", (f"{_DOUBLE}.ff_context.linear_out",)),
    OriginalModule("single_blocks.{}.linear1", (f"{_SINGLE}.attn.to_qkv_mlp_proj",)),
    OriginalModule("single_blocks.{}.linear2", (f"{_SINGLE}.attn.to_out",)),
    OriginalModule("single_stream_modulation.lin", ("single_stream_modulation.linear",)),
    OriginalModule("double_stream_modulation_img.lin", ("double_stream_modulation_img.linear",)),
    OriginalModule("double_stream_modulation_txt.lin", ("double_stream_modulation_txt.linear",)),
    *(
        OriginalModule(f"{theirs}.{layer}", (f"time_guidance_embed.{ours}.{linear}",))
        for theirs, ours in _TIMES.items()
        for layer, linear in _LINEAR.items()
    ),
)
TEXT_LAYERS = (9, 18, 27)  # of the text encoder, whose states side by side are what is read of a prompt
BASES = ("FLUX.2", "FLUX.2 klein", "FLUX.2 klein 9B")


def base_4b() -> Base:
    """Black Forest Labs' FLUX.2 [klein] 4B, on the hub."""
    return Base("flux2-klein", "black-forest-labs/FLUX.2-klein-4B")


def base_9b() -> Base:
    """Black Forest Labs' FLUX.2 [klein] 9B, on the hub."""
    return Base("flux2-klein-9b", "black-forest-labs/FLUX.2-klein-9B")


def klein(
    name: str,
    title: str,
    base: Callable[[], Base],
    blocks: tuple[int, int],
    heads: int,
    text_encoder: Component,
    gigabytes: float,
) -> Family:
    """A klein of these numbers of blocks with two streams and with one, of heads, and of such a text encoder."""
    config = {
        "num_layers": blocks[0],
        "num_single_layers": blocks[1],
        "num_attention_heads": heads,
        "joint_attention_dim": len(TEXT_LAYERS) * text_encoder.config["hidden_size"],
        "guidance_embeds": False,
    }
    return Family(
        name=name,
        base=base,
        pipeline="diffusers:Flux2KleinPipeline",
        modules=Modules(denoiser="transformer", text_encoders=(), unchanged=("text_encoder",)),
        defaults=DrawingDefaults(steps=4, guidance=1.0, side=1024, half="bfloat16"),
        architecture=Architecture(
            title=title,
            layers=TABLES / f"{name}.txt",
            names=ModuleNames(
                MODULES, TABLES / f"{name}.txt", bases=BASES, halves=(".lora_A.weight", ".lora_B.weight")
            ),
            components={
                "transformer": Component("diffusers:Flux2Transformer2DModel", config),
                "text_encoder": text_encoder,
                "vae": Component("diffusers:AutoencoderKLFlux2", {}),
                "scheduler": Component("diffusers:FlowMatchEulerDiscreteScheduler", {"use_dynamic_shifting": True}),
            },
            gigabytes=gigabytes,
            listing=Listing(name.replace("-", "_"), "flux-2-klein", "1024x1024"),
        ),
    )


FLUX2_KLEIN = klein("flux2-klein", "FLUX.2 klein", base_4b, (5, 20), 24, reader(QWEN3_4B), 16.0)
FLUX2_KLEIN_9B = klein("flux2-klein-9b", "FLUX.2 klein 9B", base_9b, (8, 24), 32, reader(QWEN3_8B), 34.7)
