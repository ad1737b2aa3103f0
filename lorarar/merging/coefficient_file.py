"""Merging coefficients from and to safetensors: ``<layer>.content`` and ``<layer>.style``, vectors.

Their axis stands in the header; files of before say none and are of columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from lorarar.lora.axis import AXES
from lorarar.lora.header import provenance_of
from lorarar.lora.tensors import read_tensors, save_tensors
from lorarar.merging.coefficients import Coefficients, CoefficientSet, axis_of
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
    axis = axis_of(coefficients)
    save_tensors(tensors, path, {**(provenance or {}), **({} if axis == "column" else {"axis": axis})})
    return path


def read_coefficients(path: str | Path) -> CoefficientSet:
    """Read m_c and m_s of every layer, and their axis.

    Raises:
        MethodError: the file is missing or broken, its axis is not known, a half is missing, or a value is not finite.
    """
    path = Path(path)
    tensors, metadata = read_tensors(path, MethodError)
    if (axis := provenance_of(metadata).get("axis", "column")) not in [*AXES]:
        raise MethodError(f"{path}: its coefficients are along {axis!r}; accepted are {', '.join(AXES)}")
    layers = sorted({key.rpartition(".")[0] for key in tensors})
    coefficients: dict[str, Coefficients] = {}
    for layer in layers:
        halves = [tensors.pop(f"{layer}.{side}", None) for side in ("content", "style")]
        content, style = halves
        if content is None or style is None or any(half.dim() != 1 or not len(half) for half in (content, style)):
            raise MethodError(f"{path}: {layer} lacks two vectors .content and .style")
        if axis == "column" and content.shape != style.shape:
            raise MethodError(f"{path}: {layer} lacks two vectors .content and .style of one length")
        if axis == "layer" and not len(content) == len(style) == 1:
            raise MethodError(f"{path}: {layer} has more than one number a side, and its coefficients are of layers")
        if not all(bool(torch.isfinite(half).all()) for half in (content, style)):
            raise MethodError(f"{path}: {layer} holds NaN or infinite values")
        coefficients[layer] = (content.float(), style.float())
    if tensors or not coefficients:
        raise MethodError(f"{path} is no file of coefficients; accepted is what lorarar coefficients writes")
    return CoefficientSet(coefficients, axis)
