"""Tiny random pipelines of each architecture, and the same weights in one file under their original names."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from pkgutil import resolve_name

import torch
from safetensors.torch import save_file

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


def original_weights(pipeline) -> dict[str, torch.Tensor]:
    """The weights of a pipeline under the names of one file."""
    xl = hasattr(pipeline, "text_encoder_2")
    weights = {
        f"model.diffusion_model.{original_name(k, pipeline.unet)}": v for k, v in pipeline.unet.state_dict().items()
    }
    for key, value in pipeline.vae.state_dict().items():
        name, is_linear = _vae(key, len(pipeline.vae.config.block_out_channels)), value.dim() == 2
        weights[f"first_stage_model.{name}"] = value[:, :, None, None] if is_linear else value
    prefix = "conditioner.embedders.0.transformer." if xl else "cond_stage_model.transformer."
    for key, value in pipeline.text_encoder.state_dict().items():
        weights[f"{prefix}text_model.{key.removeprefix('text_model.')}"] = value
    if xl:
        weights |= _open_clip(pipeline.text_encoder_2.state_dict(), "conditioner.embedders.1.model.")
    return {name: value.clone().contiguous() for name, value in weights.items()}


def write_checkpoint(pipeline, file: Path, metadata: dict[str, str] | None = None, **more: torch.Tensor) -> Path:
    """Write a pipeline as one file."""
    save_file({**original_weights(pipeline), **more}, file, metadata)
    return file


def _renamed(key: str, names: dict[str, str]) -> str:
    for new, old in names.items():
        key = re.sub(new, old, key)
    return key


def original_name(key: str, unet) -> str:
    """The name in a checkpoint file of a weight, or of a layer, of a UNet."""
    layers = unet.config.layers_per_block + 1
    match = re.match(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.*)", key)
    if match:
        side, block, kind, number, rest = match[1], int(match[2]), match[3], int(match[4]), match[5]
        first = block * layers + (side == "down")
        if kind == "downsamplers":
            return f"input_blocks.{first + layers - 1}.0.{rest.replace('conv', 'op')}"
        if kind == "upsamplers":
            place = 2 if hasattr(unet.up_blocks[block], "attentions") else 1
            return f"output_blocks.{first + layers - 1}.{place}.{rest}"
        place = f"{'input' if side == 'down' else 'output'}_blocks.{first + number}"
        return f"{place}.0.{_resnet(rest)}" if kind == "resnets" else f"{place}.1.{rest}"
    match = re.match(r"mid_block\.(resnets|attentions)\.(\d+)\.(.*)", key)
    if match:
        resnet = match[1] == "resnets"
        return f"middle_block.{2 * int(match[2]) + (not resnet)}.{_resnet(match[3]) if resnet else match[3]}"
    return _renamed(
        key,
        {
            r"^time_embedding\.linear_1": "time_embed.0",
            r"^time_embedding\.linear_2": "time_embed.2",
            r"^add_embedding\.linear_1": "label_emb.0.0",
            r"^add_embedding\.linear_2": "label_emb.0.2",
            r"^conv_in": "input_blocks.0.0",
            r"^conv_norm_out": "out.0",
            r"^conv_out": "out.2",
        },
    )


def _resnet(rest: str) -> str:
    return _renamed(
        rest,
        {
            r"^norm1": "in_layers.0",
            r"^conv1": "in_layers.2",
            r"^norm2": "out_layers.0",
            r"^conv2": "out_layers.3",
            r"^time_emb_proj": "emb_layers.1",
            r"^conv_shortcut": "skip_connection",
        },
    )


def _vae(key: str, levels: int) -> str:
    key = re.sub(r"up_blocks\.(\d+)", lambda match: f"up.{levels - 1 - int(match[1])}", key)
    key = re.sub(r"mid_block\.resnets\.(\d+)", lambda match: f"mid.block_{int(match[1]) + 1}", key)
    return _renamed(
        key,
        {
            r"down_blocks\.": "down.",
            r"\.resnets\.": ".block.",
            r"downsamplers\.0": "downsample",
            r"upsamplers\.0": "upsample",
            r"conv_shortcut": "nin_shortcut",
            r"conv_norm_out": "norm_out",
            r"mid_block\.attentions\.0": "mid.attn_1",
            r"group_norm": "norm",
            r"\.to_([qkv])\.": r".\1.",
            r"\.to_out\.0": ".proj_out",
        },
    )


def _open_clip(weights: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    names = {
        r"^text_model\.embeddings\.token_embedding\.weight": "token_embedding.weight",
        r"^text_model\.embeddings\.position_embedding\.weight": "positional_embedding",
        r"^text_model\.final_layer_norm": "ln_final",
        r"^text_projection\.weight": "text_projection",
        r"^text_model\.encoder\.layers\.": "transformer.resblocks.",
        r"layer_norm1": "ln_1",
        r"layer_norm2": "ln_2",
        r"fc1": "c_fc",
        r"fc2": "c_proj",
        r"self_attn": "attn",
    }
    renamed = {}
    for key, value in weights.items():
        name = f"{prefix}{_renamed(key, names)}"
        if "q_proj" in key:
            fused = torch.cat([weights[key.replace("q_proj", f"{part}_proj")] for part in "qkv"])
            renamed[name.replace("q_proj.", "in_proj_")] = fused
        elif "k_proj" not in key and "v_proj" not in key:
            renamed[name] = value.T if key == "text_projection.weight" else value
    return renamed
