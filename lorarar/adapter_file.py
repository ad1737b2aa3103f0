"""Adapters from and to safetensors files.

What a file may hold is checked before it is used: a file is untrusted. Read are the layouts of
diffusers (PEFT keys, and the two older ones); written is the present one of diffusers. A key that is
not understood is an error, never dropped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from lorarar.adapter import Adapter, Factors
from lorarar.errors import AdapterError
from lorarar.files import replacing, sha256_of

RECORD = "lorarar"  # the header's key for what made a file

_DOWN = re.compile(r"^(?P<layer>.+?)(\.lora_A(\.default)?|\.lora\.down|_lora\.down)\.weight$")
_UP = re.compile(r"^(?P<layer>.+?)(\.lora_B(\.default)?|\.lora\.up|_lora\.up)\.weight$")
_ALPHA = re.compile(r"^(?P<layer>.+?)(\.lora)?\.alpha$")
_FOREIGN = {
    "hada_": "LoHa",
    "lokr_": "LoKr",
    "dora_scale": "DoRA",
    "lora_magnitude_vector": "DoRA",
    "lora_unet_": "kohya",
    "lora_te": "kohya",
}


def read_adapter(path: str | Path) -> Adapter:
    """Read a LoRA file into exact factors, alpha folded in.

    Raises:
        AdapterError: not a safetensors file, not a LoRA, a half missing, factors that do not fit each
            other, or values that are not finite; the message names file and key.
    """
    path = Path(path)
    tensors, metadata = _read_tensors(path)
    halves = _sort_keys(path, tensors)
    alphas = _alphas(halves, metadata)
    layers = {layer: _factors(path, layer, half, alphas.get(layer)) for layer, half in sorted(halves.items())}
    if not layers:
        raise AdapterError(f"{path} holds no LoRA weights")
    return Adapter(layers, path.name, sha256_of(path), record_of(metadata))


def write_adapter(adapter: Adapter, path: str | Path, record: Mapping[str, object] | None = None) -> Path:
    """Write a LoRA that diffusers and PEFT read as it is; the file appears whole or not at all.

    ``record``, what made it, goes into the header; the same adapter and record give the same bytes.

    Raises:
        AdapterError: the file cannot be written.
    """
    path = Path(path)
    tensors: dict[str, Tensor] = {}
    for layer, factors in adapter.layers.items():
        tensors[f"{layer}.lora_A.weight"] = factors.down.contiguous()
        tensors[f"{layer}.lora_B.weight"] = factors.up.contiguous()
    save_tensors(tensors, path, record or {})
    return path


def save_tensors(tensors: Mapping[str, Tensor], path: Path, record: Mapping[str, object]) -> None:
    """Write a safetensors file, whole or not at all, with a record as JSON under one key of its header.

    One key, because safetensors writes several in random order, and equal files should be equal bytes.

    Raises:
        AdapterError: the file cannot be written.
    """
    try:
        with replacing(path) as partial:
            save_file(dict(tensors), partial, {RECORD: json.dumps(record, sort_keys=True)})
    except (OSError, SafetensorError) as error:
        raise AdapterError(f"cannot write {path}: {error}") from None


def record_of(metadata: Mapping[str, str]) -> dict[str, Any]:
    """What a header says of how its file was made; empty where it says nothing sound."""
    try:
        record = json.loads(metadata.get(RECORD, "{}"))
    except json.JSONDecodeError:
        return {}
    return record if isinstance(record, dict) else {}


def _read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    if not path.is_file():
        raise AdapterError(f"{path} does not exist" if not path.exists() else f"{path} is not a file")
    try:
        with safe_open(path, "pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        raise AdapterError(f"{path} is not a sound safetensors file: {error}") from None


def _sort_keys(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """The tensors as ``{layer: {"down" | "up" | "alpha": tensor}}``."""
    halves: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        for mark, kind in _FOREIGN.items():
            if mark in key:
                raise AdapterError(
                    f"{path}: {key} is {kind}, which is not read; accepted is LoRA in a layout of diffusers"
                )
        for role, pattern in (("down", _DOWN), ("up", _UP), ("alpha", _ALPHA)):
            match = pattern.match(key)
            if match:
                halves.setdefault(_layer_name(match["layer"]), {})[role] = tensor
                break
        else:
            raise AdapterError(f"{path}: {key} is not a LoRA key; accepted are ….lora_A.weight and ….lora_B.weight")
    return halves


def _layer_name(key: str) -> str:
    """Today's diffusers path of a layer, from the older spellings too."""
    name = key.replace(".processor.", ".").removeprefix("base_model.model.").replace("unet.unet.", "unet.")
    if name.endswith(".to_out"):
        name += ".0"
    return name if name.startswith(("unet.", "text_encoder.", "text_encoder_2.")) else f"unet.{name}"


def _alphas(halves: Mapping[str, Mapping[str, Tensor]], metadata: Mapping[str, str]) -> dict[str, float]:
    """Alpha by layer: from ``.alpha`` tensors, else from the header diffusers writes."""
    alphas = {layer: float(half["alpha"]) for layer, half in halves.items() if "alpha" in half}
    try:
        header: dict[str, Any] = json.loads(metadata.get("lora_adapter_metadata", "{}"))
    except json.JSONDecodeError:
        header = {}
    for layer in halves:
        component, _, module = layer.partition(".")
        given = header.get(f"{component}.lora_alpha")
        pattern = header.get(f"{component}.alpha_pattern") or {}
        if layer not in alphas and given is not None:
            alphas[layer] = float(pattern.get(module, given))
    return alphas


def _factors(path: Path, layer: str, half: Mapping[str, Tensor], alpha: float | None) -> Factors:
    for role, key in (("down", "lora_A"), ("up", "lora_B")):
        if role not in half:
            raise AdapterError(f"{path}: {layer}.{key}.weight is missing; its other half is there")
        if not half[role].is_floating_point() or half[role].dim() not in (2, 4):
            raise AdapterError(f"{path}: {layer}.{key}.weight is no matrix of floats")
        if not bool(torch.isfinite(half[role]).all()):
            raise AdapterError(f"{path}: {layer}.{key}.weight holds NaN or infinite values")
    down, up = half["down"], half["up"]
    if down.shape[0] != up.shape[1] or down.dim() != up.dim():
        raise AdapterError(f"{path}: the halves of {layer} do not fit: {tuple(up.shape)} and {tuple(down.shape)}")
    scale = 1.0 if alpha is None else alpha / down.shape[0]
    return Factors(down if scale == 1.0 else (down.float() * scale).to(down.dtype), up)
