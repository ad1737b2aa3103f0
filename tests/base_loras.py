"""LoRAs of real bases, whole or in part: true names and shapes, of rank 1 and zeros."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import save_file

from lorarar.families import FAMILIES
from lorarar.families.layer_table import Layers
from lorarar.lora.adapter import ATTENTION, Adapter, Factors, part_of
from lorarar.lora.base_layers import layers_of_family

KOHYA = {"unet": "lora_unet", "text_encoder": "lora_te1", "text_encoder_2": "lora_te2"}


def table(base: str) -> Layers:
    """The layers of a family's base."""
    layers = layers_of_family(FAMILIES[base])
    assert layers
    return layers


def attention(base: str) -> Layers:
    """Its layers of the UNet's attention, as most LoRAs have them."""
    return {layer: shape for layer, shape in table(base).items() if part_of(layer) in ATTENTION}


def factors_of(shape: tuple[int, ...]) -> Factors:
    """A layer's update of rank 1."""
    rows, *rest = shape
    return Factors(torch.zeros(1, *rest), torch.zeros(rows, 1, *[1] * (len(rest) - 1)))


def adapter_of(layers: Layers, name: str = "a.safetensors", **metadata: str) -> Adapter:
    """An adapter of these layers."""
    return Adapter({one: factors_of(shape) for one, shape in layers.items()}, name, metadata=metadata)


def kohya_file(layers: Layers, path: Path, text_encoder: str = "lora_te1", **metadata: str) -> Path:
    """A file of these layers in kohya's spelling, with diffusers' names of blocks."""
    heads = KOHYA | {"text_encoder": text_encoder}
    names = {layer: f"{heads[layer.partition('.')[0]]}_{layer.partition('.')[2].replace('.', '_')}" for layer in layers}
    return _saved(layers, names, ("lora_down", "lora_up"), path, metadata)


def diffusers_file(layers: Layers, path: Path, **metadata: str) -> Path:
    """A file of these layers in diffusers' spelling."""
    return _saved(layers, dict(zip(layers, layers, strict=True)), ("lora_A", "lora_B"), path, metadata)


def some(layers: Layers, *parts: str) -> Layers:
    """Those with one of these parts in their names."""
    return {layer: shape for layer, shape in layers.items() if any(part in layer for part in parts)}


def only(layers: Layers, names: Iterable[str]) -> Layers:
    """Those of these names."""
    return {name: layers[name] for name in names}


def _saved(
    layers: Layers, names: dict[str, str], halves: tuple[str, str], path: Path, metadata: dict[str, str]
) -> Path:
    tensors = {}
    for layer, shape in layers.items():
        factors = factors_of(shape)
        tensors |= {
            f"{names[layer]}.{halves[0]}.weight": factors.down,
            f"{names[layer]}.{halves[1]}.weight": factors.up,
        }
    save_file(tensors, path, metadata)
    return path
