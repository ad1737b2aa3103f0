"""Pocket's DINO starts from the critic's vision tower: its weights under the names of DINO's class.

It has a class token that the tower lacks, which starts as nothing and has to learn what to gather. The rest gives the
tower's tokens but for the attention that token takes. CLIP does not start so: a tower that tells designs of a class
apart has unlearnt what a class is.
"""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import SiglipVisionModel, ViTModel

from judge.metrics.preprocessing import IMAGENET_DEVIATION, IMAGENET_MEAN

#: The tower's names of a layer's weights, and those of DINO's ViT.
VIT_NAMES = {
    "encoder.layers.": "layers.",
    "self_attn.out_proj": "attention.o_proj",
    "self_attn.": "attention.",
    "layer_norm1": "layernorm_before",
    "layer_norm2": "layernorm_after",
}


def start_vit(vit: ViTModel, tower: SiglipVisionModel) -> None:
    """Put the tower's weights into a ViT of its size, whose pictures are normalised as ImageNet's."""
    state = {name: tensor for name, tensor in tower.state_dict().items() if name.startswith("encoder.layers.")}
    for old, new in VIT_NAMES.items():
        state = {name.replace(old, new): tensor for name, tensor in state.items()}
    weight, bias = _patches_for(tower, IMAGENET_MEAN, IMAGENET_DEVIATION)
    state |= {
        "embeddings.patch_embeddings.projection.weight": weight,
        "embeddings.patch_embeddings.projection.bias": bias,
        "embeddings.position_embeddings": _behind_class_token(tower.embeddings.position_embedding.weight)[None],
        "embeddings.cls_token": torch.zeros_like(vit.embeddings.cls_token),
    }
    _load(vit, state, ("layernorm.weight", "layernorm.bias"))


def _load(model: torch.nn.Module, state: dict[str, Tensor], untouched: tuple[str, ...]) -> None:
    """Load all weights but the untouched ones; anything else that is missing, or more, is a mistake."""
    result = model.load_state_dict(state, strict=False)
    assert set(result.missing_keys) == set(untouched) and not result.unexpected_keys, result


def _patches_for(
    tower: SiglipVisionModel, mean: tuple[float, ...], deviation: tuple[float, ...]
) -> tuple[Tensor, Tensor]:
    """The patch embedding's weight and bias where pictures are normalised otherwise than by one half and one half."""
    patches = tower.embeddings.patch_embedding
    scale = 2 * torch.tensor(deviation)[None, :, None, None]
    shift = (2 * torch.tensor(mean) - 1)[None, :, None, None]
    return patches.weight * scale, patches.bias + (patches.weight * shift).sum((1, 2, 3))


def _behind_class_token(positions: Tensor) -> Tensor:
    """Positions (T, D) with one more, of nothing, before them."""
    return torch.cat([torch.zeros_like(positions[:1]), positions])
