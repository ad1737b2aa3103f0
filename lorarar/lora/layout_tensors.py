"""The tensors of our layouts: what other programs read.

Invariant: in every layout each layer's update, as its readers scale it, is B A of the adapter. The scale
is folded in already, so alpha is there to give scale 1, or where a reader cannot be told (see ``kohya_tensors``),
the same number for all layers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lorarar.families.table import COMPONENTS
from lorarar.lora.adapter import Adapter, Factors, widest
from lorarar.lora.layout_names import comfy_name, kohya_name
from lorarar.lora.made_for import family_of_adapter
from lorarar.lora.original_modules import by_original_module
from lorarar.lora.transformer_names import names_of_adapter


@dataclass(frozen=True)
class FolderPart:
    """One component in a layout that is a folder: weights by key, and the fields of ``adapter_config.json``."""

    tensors: Mapping[str, Tensor]
    config: Mapping[str, object]


def diffusers_tensors(adapter: Adapter) -> dict[str, Tensor]:
    """Keys of diffusers, for the whole adapter."""
    return state_dict(adapter.layers)


def peft_parts(adapter: Adapter) -> dict[str, FolderPart]:
    """A PEFT adapter for each component that has layers, by the component's name."""
    parts = {component: _component(adapter.layers, component) for component in COMPONENTS}
    return {component: _peft(layers, component) for component, layers in parts.items() if layers}


def state_dict(layers: Mapping[str, Factors]) -> dict[str, Tensor]:
    """Both factors of every layer, A and B, under diffusers' keys."""
    tensors: dict[str, Tensor] = {}
    for layer, factors in layers.items():
        tensors[f"{layer}.lora_A.weight"] = factors.down.contiguous()
        tensors[f"{layer}.lora_B.weight"] = factors.up.contiguous()
    return tensors


def kohya_tensors(adapter: Adapter) -> dict[str, Tensor]:
    """Keys of kohya's trainer, each of them known to ComfyUI, A1111 and diffusers.

    Alpha is the commonest rank of a component, for all its layers: diffusers loses alphas that differ
    between attention layers. Layers of another rank have the quotient in ``down``.
    """
    family = family_of_adapter(adapter)
    modules = by_original_module(adapter.layers, names_of_adapter(adapter))
    tensors: dict[str, Tensor] = {}
    for component in COMPONENTS:
        own = {layer: factors for layer, factors in modules.items() if layer.startswith(f"{component}.")}
        alpha = _commonest(factors.rank for factors in own.values()) if own else 0
        for layer, factors in own.items():
            scaled, name = _for_alpha(factors, alpha), kohya_name(layer, family)
            tensors[f"{name}.lora_down.weight"] = scaled.down.contiguous()
            tensors[f"{name}.lora_up.weight"] = scaled.up.contiguous()
            tensors[f"{name}.alpha"] = torch.tensor(float(alpha))
    return tensors


def comfy_tensors(adapter: Adapter) -> dict[str, Tensor]:
    """Keys of ComfyUI's own, by the names that the layers have in checkpoint files; there is no alpha, so scale 1.

    Of a transformer, where those of several layers are one, the halves are spelt as diffusers reads them too.

    Raises:
        AdapterError: a layer has no such name.
    """
    family, names = family_of_adapter(adapter), names_of_adapter(adapter)
    down, up = names.halves if names else (".lora_down.weight", ".lora_up.weight")
    tensors: dict[str, Tensor] = {}
    for layer, factors in by_original_module(adapter.layers, names).items():
        name = comfy_name(layer, family)
        tensors[f"{name}{down}"] = factors.down.contiguous()
        tensors[f"{name}{up}"] = factors.up.contiguous()
    return tensors


def _for_alpha(factors: Factors, alpha: int) -> Factors:
    """The update with its quotient rank / alpha in ``down``, which a reader's alpha / rank takes out again."""
    if factors.rank == alpha:
        return factors
    return factors.scale(factors.rank / alpha).to(widest([factors.down.dtype, factors.up.dtype]))


def _peft(layers: Mapping[str, Factors], component: str) -> FolderPart:
    # transformers 5 took "text_model" out of this one's modules, and PEFT needs their names as they are
    if component == "text_encoder":
        layers = {name.removeprefix("text_model."): factors for name, factors in layers.items()}
    rank = _commonest(factors.rank for factors in layers.values())
    others = {f"^{name}": factors.rank for name, factors in layers.items() if factors.rank != rank}
    config = {
        "peft_type": "LORA",
        "base_model_name_or_path": None,
        "task_type": None,
        "inference_mode": True,
        "bias": "none",
        "r": rank,
        "lora_alpha": rank,
        "rank_pattern": others,
        "alpha_pattern": others,
        "target_modules": sorted(layers),
    }
    return FolderPart({f"base_model.model.{key}": tensor for key, tensor in state_dict(layers).items()}, config)


def _component(layers: Mapping[str, Factors], component: str) -> dict[str, Factors]:
    """The layers of one component, by their path inside it."""
    prefix = f"{component}."
    return {name.removeprefix(prefix): factors for name, factors in layers.items() if name.startswith(prefix)}


def _commonest(ranks: Iterable[int]) -> int:
    """The rank most layers have, the least of several."""
    return max(sorted(Counter(ranks).items()), key=lambda item: item[1])[0]
