"""Merging coefficients from and to safetensors: ``<layer>.content`` and ``<layer>.style``, (n,) each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from lorarar.lora.tensors import read_tensors, save_tensors
from lorarar.merging.hypernet import Coefficients
from lorarar.util.errors import MethodError


def write_coefficients(
    coefficients: Mapping[str, Coefficients], path: str | Path, provenance: Mapping[str, object] | None = None
) -> Path:
    """Write m_c and m_s of every layer, with what made them in the header; the file appears whole or not at all."""
    path = Path(path)
    tensors = {}
    for layer, pair in coefficients.items():
        for side, vector in zip(("content", "style"), pair, strict=True):
            tensors[f"{layer}.{side}"] = vector.detach().cpu().clone()
    save_tensors(tensors, path, provenance or {})
    return path


def read_coefficients(path: str | Path) -> dict[str, Coefficients]:
    """Read m_c and m_s of every layer.

    Raises:
        MethodError: the file is missing or broken, a half is missing, or a value is not finite.
    """
    path = Path(path)
    tensors, _ = read_tensors(path, MethodError)
    layers = sorted({key.rpartition(".")[0] for key in tensors})
    coefficients: dict[str, Coefficients] = {}
    for layer in layers:
        halves = [tensors.pop(f"{layer}.{side}", None) for side in ("content", "style")]
        content, style = halves
        if content is None or style is None or content.dim() != 1 or content.shape != style.shape:
            raise MethodError(f"{path}: {layer} lacks two vectors .content and .style of one length")
        if not all(bool(torch.isfinite(half).all()) for half in (content, style)):
            raise MethodError(f"{path}: {layer} holds NaN or infinite values")
        coefficients[layer] = (content.float(), style.float())
    if tensors or not coefficients:
        raise MethodError(f"{path} is no file of coefficients; accepted is what lorarar coefficients writes")
    return coefficients
