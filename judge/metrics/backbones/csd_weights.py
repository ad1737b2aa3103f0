"""CSD's tensors, by the names of OpenAI's CLIP or of transformers, as a model of transformers.

Invariant: every weight of the model comes from the file, and every tensor of the file is either a weight of the model
or of the content's head, which is known; anything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import isqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

HEAD = 64  # channels of an attention head, in every CLIP
_OUTER = re.compile(r"^(module\.|backbone\.|vision_model\.|visual\.|model\.)+")  # what models are wrapped in
_STYLE = re.compile(r"^(last_layer_style|style_proj(ection)?(\.weight)?|visual_projection\.weight)$")
_UNUSED = re.compile(r"^(last_layer_content|content_proj(ection)?)\b|^proj$|\bposition_ids$")  # the content's head
#: From OpenAI's names to those of transformers, part by part.
_NAMES = (
    (r"^conv1\.", "embeddings.patch_embedding."),
    (r"^class_embedding$", "embeddings.class_embedding"),
    (r"^positional_embedding$", "embeddings.position_embedding.weight"),
    (r"^ln_pre\.", "pre_layrnorm."),
    (r"^ln_post\.", "post_layernorm."),
    (r"^transformer\.resblocks\.", "encoder.layers."),
    (r"\.attn\.", ".self_attn."),
    (r"\.ln_([12])\.", r".layer_norm\1."),
    (r"\.mlp\.c_fc\.", ".mlp.fc1."),
    (r"\.mlp\.c_proj\.", ".mlp.fc2."),
)


def vision_tower(tensors: Mapping[str, Tensor], side: int) -> CLIPVisionModelWithProjection:
    """The vision tower with the style's projection in the place of CLIP's.

    Args:
        tensors: of a checkpoint, by name.
        side: pixels that the tower sees.

    Raises:
        ValueError: the tensors are not CSD's.
    """
    from transformers import CLIPVisionModelWithProjection

    weights = dict(_weights(tensors))
    model = CLIPVisionModelWithProjection(_config(weights, side))
    missing = sorted(set(model.state_dict()) - set(weights) - {"vision_model.embeddings.position_ids"})
    strange = sorted(set(weights) - set(model.state_dict()))
    if missing or strange:
        faults = [_some(missing, "missing"), _some(strange, "unknown")]
        raise ValueError(f"its tensors are not CSD's: {'; '.join(filter(None, faults))}")
    model.load_state_dict(weights, strict=False)
    return model


def _weights(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """The tensors by the names of transformers' model."""
    for name, tensor in tensors.items():
        inner = _OUTER.sub("", name)
        if _STYLE.match(inner):  # a bare one multiplies from the right, as CLIP's own
            yield "visual_projection.weight", tensor if inner.endswith(".weight") else tensor.T.contiguous()
        elif inner.endswith((".in_proj_weight", ".in_proj_bias")):
            start, what = _renamed(inner).rsplit(".in_proj_", 1)
            for part, values in zip("qkv", tensor.chunk(3), strict=True):
                yield f"vision_model.{start}.{part}_proj.{what}", values
        elif not _UNUSED.search(inner):
            yield f"vision_model.{_renamed(inner)}", tensor


def _renamed(name: str) -> str:
    for pattern, new in _NAMES:
        name = re.sub(pattern, new, name)
    return name


def _config(weights: Mapping[str, Tensor], side: int) -> CLIPVisionConfig:
    """The configuration that the shapes of the weights say.

    Raises:
        ValueError: the weights that say it are not there, or have other shapes than a CLIP's.
    """
    from transformers import CLIPVisionConfig

    layers = {match[1] for name in weights if (match := re.search(r"encoder\.layers\.(\d+)\.", name))}
    try:
        projection = weights["visual_projection.weight"]
        patches = weights["vision_model.embeddings.patch_embedding.weight"]
        places = weights["vision_model.embeddings.position_embedding.weight"]
        hidden = weights["vision_model.encoder.layers.0.mlp.fc1.weight"]
    except KeyError as error:
        raise ValueError(f"its tensors are not CSD's: {error.args[0]} is missing") from None
    width, patch = patches.shape[0], patches.shape[-1]
    if places.shape[0] - 1 != (side // patch) ** 2 or width % HEAD or hidden.ndim != 2 or projection.ndim != 2:
        seen = isqrt(places.shape[0] - 1) * patch
        raise ValueError(
            f"its tensors are not CSD's: {width} channels, and pictures of {seen} pixels instead of {side}"
        )
    return CLIPVisionConfig(
        hidden_size=width,
        intermediate_size=hidden.shape[0],
        num_hidden_layers=len(layers),
        num_attention_heads=width // HEAD,
        image_size=side,
        patch_size=patch,
        projection_dim=projection.shape[0],
        hidden_act="quick_gelu",
    )


def _some(names: list[str], what: str) -> str:
    return f"{len(names)} are {what}, {names[0]} among them" if names else ""
