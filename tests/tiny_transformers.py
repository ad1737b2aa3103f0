"""Tiny random transformers of the real classes, with LoRAs of all their layers, under true names."""

import torch
from diffusers import (
    Flux2Transformer2DModel,
    FluxTransformer2DModel,
    QwenImageTransformer2DModel,
    ZImageTransformer2DModel,
)
from diffusers.loaders.lora_pipeline import (
    Flux2LoraLoaderMixin,
    FluxLoraLoaderMixin,
    QwenImageLoraLoaderMixin,
    ZImageLoraLoaderMixin,
)

from lorarar.families.layer_table import layers_of_model
from lorarar.lora.adapter import Adapter, Factors

HEADS = {"attention_head_dim": 8, "num_attention_heads": 2, "joint_attention_dim": 12, "in_channels": 4}
TINY = {
    "flux1": (
        FluxTransformer2DModel,
        {
            **HEADS,
            "num_layers": 1,
            "num_single_layers": 2,
            "pooled_projection_dim": 10,
            "axes_dims_rope": (2, 2, 4),
            "guidance_embeds": True,
        },
    ),
    "flux2-klein": (
        Flux2Transformer2DModel,
        {**HEADS, "num_layers": 1, "num_single_layers": 2, "axes_dims_rope": (2, 2, 2, 2), "guidance_embeds": False},
    ),
    "qwen-image": (QwenImageTransformer2DModel, {**HEADS, "num_layers": 2, "axes_dims_rope": (2, 2, 4)}),
    "z-image": (
        ZImageTransformer2DModel,
        {
            "dim": 24,
            "n_layers": 2,
            "n_refiner_layers": 1,
            "n_heads": 2,
            "n_kv_heads": 2,
            "in_channels": 4,
            "cap_feat_dim": 10,
            "axes_dims": [4, 4, 4],
            "axes_lens": [8, 8, 8],
        },
    ),
}
LOADERS = {
    "flux1": FluxLoraLoaderMixin,
    "flux2-klein": Flux2LoraLoaderMixin,
    "qwen-image": QwenImageLoraLoaderMixin,
    "z-image": ZImageLoraLoaderMixin,
}


def transformer(name):
    """A tiny transformer of a family."""
    kind, config = TINY[name]
    torch.manual_seed(0)
    return kind(**config)


def layers_of(name):
    """The layers of a family's tiny transformer, with their shapes."""
    with torch.device("meta"):
        return layers_of_model("transformer", transformer(name))


def lora_of(layers, seed=0, ranks=(2, 3), shared=(), **fields):
    """A LoRA of layers of these shapes with ranks in turn; those of a group in ``shared`` have one A."""
    generator = torch.Generator().manual_seed(seed)
    factors = {}
    for number, (layer, (rows, columns)) in enumerate(layers.items()):
        rank = ranks[number % len(ranks)]
        factors[layer] = Factors(
            torch.randn(rank, columns, generator=generator), torch.randn(rows, rank, generator=generator)
        )
    for group in shared:
        first = factors[group[0]]
        for layer in group:
            up = torch.randn(layers[layer][0], first.rank, generator=generator)
            factors[layer] = Factors(first.down, up)
    return Adapter(factors, f"lora{seed}.safetensors", **fields)
