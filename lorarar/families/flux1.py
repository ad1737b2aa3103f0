"""FLUX.1: 19 blocks of two streams and 38 of one, and CLIP beside T5, which no LoRA changes."""

from __future__ import annotations

from lorarar.families.architecture import Architecture, Component
from lorarar.families.drawing_defaults import DrawingDefaults
from lorarar.families.family import Base, Family, Modules
from lorarar.families.layer_table import TABLES
from lorarar.families.listing import Listing
from lorarar.families.module_names import ModuleNames, OriginalModule
from lorarar.families.sdxl import CLIP_L, VAE

QKV = ("to_q", "to_k", "to_v")
ADDED_QKV = ("add_q_proj", "add_k_proj", "add_v_proj")
_DOUBLE, _SINGLE = "transformer_blocks.{}", "single_transformer_blocks.{}"
IMAGE_ATTENTION, TEXT_ATTENTION, SINGLE_ATTENTION = (
    tuple(f"{block}.attn.{part}" for part in parts)
    for block, parts in ((_DOUBLE, QKV), (_DOUBLE, ADDED_QKV), (_SINGLE, QKV))
)

#: What FLUX.1 and FLUX.2 have alike.
FLUX_MODULES = (
    OriginalModule("double_blocks.{}.img_attn.qkv", IMAGE_ATTENTION),
    OriginalModule("double_blocks.{}.txt_attn.qkv", TEXT_ATTENTION),
    OriginalModule("double_blocks.{}.img_attn.proj", (f"{_DOUBLE}.attn.to_out.0",)),
    OriginalModule("double_blocks.{}.txt_attn.proj", (f"{_DOUBLE}.attn.to_add_out",)),
    OriginalModule("img_in", ("x_embedder",)),
    OriginalModule("txt_in", ("context_embedder",)),
    OriginalModule("final_layer.linear", ("proj_out",)),
    OriginalModule("final_layer.adaLN_modulation.1", ("norm_out.linear",), swapped=True),
)
_TIMES = {"time_in": "timestep_embedder", "vector_in": "text_embedder", "guidance_in": "guidance_embedder"}
_LINEAR = {"in_layer": "linear_1", "out_layer": "linear_2"}
MODULES = (
    *FLUX_MODULES,
    OriginalModule("double_blocks.{}.img_mlp.0", (f"{_DOUBLE}.ff.net.0.proj",)),
    OriginalModule("double_blocks.{}.img_mlp.2", (f"{_DOUBLE}.ff.net.2",)),
    OriginalModule("double_blocks.{}.txt_mlp.0", (f"{_DOUBLE}.ff_context.net.0.proj",)),
    OriginalModule("double_blocks.{}.txt_mlp.2", (f"{_DOUBLE}.ff_context.net.2",)),
    OriginalModule("double_blocks.{}.img_mod.lin", (f"{_DOUBLE}.norm1.linear",)),
    OriginalModule("double_blocks.{}.txt_mod.lin", (f"{_DOUBLE}.norm1_context.linear",)),
    OriginalModule("single_blocks.{}.linear1", (*SINGLE_ATTENTION, f"{_SINGLE}.proj_mlp"), shares=(1, 1, 1, 4)),
    OriginalModule("single_blocks.{}.linear2", (f"{_SINGLE}.proj_out",)),
    OriginalModule("single_blocks.{}.modulation.lin", (f"{_SINGLE}.norm.linear",)),
    *(
        OriginalModule(f"{theirs}.{layer}", (f"time_text_embed.{ours}.{linear}",))
        for theirs, ours in _TIMES.items()
        for layer, linear in _LINEAR.items()
    ),
    # XLabs' processors, and ai-toolkit's name of the attention in linear1, which ComfyUI knows
    OriginalModule("double_blocks.{}.processor.qkv_lora1", IMAGE_ATTENTION, read_alone=True),
    OriginalModule("double_blocks.{}.processor.qkv_lora2", TEXT_ATTENTION, read_alone=True),
    OriginalModule("double_blocks.{}.processor.proj_lora1", (f"{_DOUBLE}.attn.to_out.0",), read_alone=True),
    OriginalModule("double_blocks.{}.processor.proj_lora2", (f"{_DOUBLE}.attn.to_add_out",), read_alone=True),
    OriginalModule("single_blocks.{}.processor.qkv", SINGLE_ATTENTION, read_alone=True),
    OriginalModule("single_blocks.{}.processor.proj", (f"{_SINGLE}.proj_out",), read_alone=True),
    OriginalModule("single_blocks.{}.linear1_qkv", SINGLE_ATTENTION, read_alone=True),
)


T5_XXL = {
    "vocab_size": 32128,
    "d_model": 4096,
    "d_kv": 64,
    "d_ff": 10240,
    "num_layers": 24,
    "num_heads": 64,
    "feed_forward_proj": "gated-gelu",
    "tie_word_embeddings": False,
}
#: FLUX.1's autoencoder, which Z-Image has too.
AUTOENCODER = Component(
    "diffusers:AutoencoderKL",
    {
        **VAE,
        "latent_channels": 16,
        "scaling_factor": 0.3611,
        "shift_factor": 0.1159,
        "use_quant_conv": False,
        "use_post_quant_conv": False,
    },
)


def base() -> Base:
    """Black Forest Labs' FLUX.1 [dev], on the hub."""
    return Base("flux1", "black-forest-labs/FLUX.1-dev")


FLUX1 = Family(
    name="flux1",
    base=base,
    pipeline="diffusers:FluxPipeline",
    modules=Modules(denoiser="transformer", text_encoders=("text_encoder",), unchanged=("text_encoder_2",)),
    defaults=DrawingDefaults(steps=28, guidance=3.5, side=1024, half="bfloat16"),
    architecture=Architecture(
        title="FLUX.1",
        layers=TABLES / "flux1.txt",
        names=ModuleNames(MODULES, TABLES / "flux1.txt", bases=("FLUX.1",)),
        components={
            "transformer": Component("diffusers:FluxTransformer2DModel", {"guidance_embeds": True}),
            "text_encoder": Component("transformers:CLIPTextModel", CLIP_L),
            "text_encoder_2": Component("transformers:T5EncoderModel", T5_XXL),
            "vae": AUTOENCODER,
            "scheduler": Component(
                "diffusers:FlowMatchEulerDiscreteScheduler", {"shift": 3.0, "use_dynamic_shifting": True}
            ),
        },
        gigabytes=33.7,
        listing=Listing("flux1", "flux-1-dev", "1024x1024"),
    ),
)
