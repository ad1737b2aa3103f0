"""The weights of a pipeline under the names that checkpoint files have them by: those of their first authors' code.

diffusers and transformers only read such files; this is the way back, for files that are made here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

_UNET = {
    r"^time_embedding\.linear_1": "time_embed.0",
    r"^time_embedding\.linear_2": "time_embed.2",
    r"^add_embedding\.linear_1": "label_emb.0.0",
    r"^add_embedding\.linear_2": "label_emb.0.2",
    r"^conv_in": "input_blocks.0.0",
    r"^conv_norm_out": "out.0",
    r"^conv_out": "out.2",
}
_RESNET = {
    r"^norm1": "in_layers.0",
    r"^conv1": "in_layers.2",
    r"^norm2": "out_layers.0",
    r"^conv2": "out_layers.3",
    r"^time_emb_proj": "emb_layers.1",
    r"^conv_shortcut": "skip_connection",
}
_VAE = {
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
}
_OPEN_CLIP = {
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


def original_weights(pipeline: Any) -> dict[str, Tensor]:
    """The weights of an SDXL or SD 1.5 pipeline under the names of one file, some of them views of the pipeline's."""
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
    return weights


def original_name(key: str, unet: Any) -> str:
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
        where = f"{'input' if side == 'down' else 'output'}_blocks.{first + number}"
        return f"{where}.0.{_renamed(rest, _RESNET)}" if kind == "resnets" else f"{where}.1.{rest}"
    match = re.match(r"mid_block\.(resnets|attentions)\.(\d+)\.(.*)", key)
    if match:
        is_resnet = match[1] == "resnets"
        rest = _renamed(match[3], _RESNET) if is_resnet else match[3]
        return f"middle_block.{2 * int(match[2]) + (not is_resnet)}.{rest}"
    return _renamed(key, _UNET)


def _renamed(key: str, names: Mapping[str, str]) -> str:
    for pattern, name in names.items():
        key = re.sub(pattern, name, key)
    return key


def _vae(key: str, levels: int) -> str:
    key = re.sub(r"up_blocks\.(\d+)", lambda match: f"up.{levels - 1 - int(match[1])}", key)
    key = re.sub(r"mid_block\.resnets\.(\d+)", lambda match: f"mid.block_{int(match[1]) + 1}", key)
    return _renamed(key, _VAE)


def _open_clip(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """As OpenCLIP has them: queries, keys and values in one matrix, the projection turned."""
    import torch

    renamed = {}
    for key, value in weights.items():
        name = f"{prefix}{_renamed(key, _OPEN_CLIP)}"
        if "q_proj" in key:
            fused = torch.cat([weights[key.replace("q_proj", f"{part}_proj")] for part in "qkv"])
            renamed[name.replace("q_proj.", "in_proj_")] = fused
        elif "k_proj" not in key and "v_proj" not in key:
            renamed[name] = value.T if key == "text_projection.weight" else value
    return renamed
