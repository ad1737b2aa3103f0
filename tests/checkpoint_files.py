"""Tiny random pipelines of each architecture, and the same weights in one file under their original names."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from pkgutil import resolve_name

import torch
from safetensors.torch import save_file

from benchmarks.rehearsal.original_names import original_weights
from lorarar.families import FAMILIES, Architecture, Family
from lorarar.families.architecture import blueprint_of
from lorarar.generation.checkpoint import clip_tokenizer

WIDTHS = (32, 64)  # of the two text encoders
SMALLER = {
    "unet": {"sample_size": 8, "norm_num_groups": 4},
    "vae": {"block_out_channels": [8] * 4, "norm_num_groups": 4, "layers_per_block": 1, "sample_size": 64},
    "text_encoder": {"hidden_size": WIDTHS[0], "projection_dim": WIDTHS[0]},
    "text_encoder_2": {"hidden_size": WIDTHS[1], "projection_dim": WIDTHS[1]},
    "scheduler": {},
}
SMALLER_CLIP = {"intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
SMALLER_XL = {
    "block_out_channels": [8, 16, 32],
    "attention_head_dim": [1, 2, 4],
    "cross_attention_dim": sum(WIDTHS),
    "addition_time_embed_dim": 8,
    "projection_class_embeddings_input_dim": 6 * 8 + WIDTHS[1],
}
SMALLER_15 = {"block_out_channels": [8, 16, 32, 32], "attention_head_dim": 2, "cross_attention_dim": WIDTHS[0]}


@cache
def tiny_family(name: str) -> Family:
    """A family as the one of that name, each block of it in its place, but a few numbers wide."""
    family = FAMILIES[name]
    assert family.architecture
    components = {}
    for part, component in family.architecture.components.items():
        changes = SMALLER[part] | (SMALLER_CLIP if part.startswith("text") else {})
        changes |= (SMALLER_15 if name == "sd15" else SMALLER_XL) if part == "unet" else {}
        components[part] = replace(component, config={**component.config, **changes})
    architecture = replace(family.architecture, title=f"tiny {family.architecture.title}", components=components)
    blueprint = blueprint_of(
        {name: tuple(weight.shape) for name, weight in meta_unet(architecture).state_dict().items()}
    )
    return replace(family, name=f"tiny-{name}", architecture=replace(architecture, blueprint=blueprint))


def meta_unet(architecture: Architecture) -> torch.nn.Module:
    """An architecture's UNet, of shapes alone."""
    component = architecture.components["unet"]
    with torch.device("meta"):
        return resolve_name(component.kind).from_config(dict(component.config))


def new_pipeline(family: Family, seed: int = 0):
    """A random pipeline of a family."""
    torch.manual_seed(seed)
    architecture = family.architecture
    parts = {name: clip_tokenizer(padding) for name, padding in architecture.tokenizers.items()}
    for name, component in architecture.components.items():
        kind = resolve_name(component.kind)
        clip = getattr(kind, "config_class", None)
        parts[name] = kind(clip(**component.config)) if clip else kind.from_config(dict(component.config))
        if name == "unet":
            parts[name].conv_out.weight.data *= 20  # so that pictures are of more than the VAE's grey
    optional = {"image_encoder": None, **family.pipeline_options}
    return family.pipeline_class()(**parts, **optional)


def stored_weights(pipeline) -> dict[str, torch.Tensor]:
    """The weights of a pipeline under the names of one file, each in memory of its own."""
    return {name: value.clone().contiguous() for name, value in original_weights(pipeline).items()}


def write_checkpoint(pipeline, file: Path, metadata: dict[str, str] | None = None, **more: torch.Tensor) -> Path:
    """Write a pipeline as one file."""
    save_file({**stored_weights(pipeline), **more}, file, metadata)
    return file
