"""What a LoRA file is: dialect, ranks, targets, metadata, and why it cannot be used if it cannot.

A file is opened once. Whatever is sound as tensors is described, also where it is no LoRA or a broken one;
the reason given then is the one with which reading it would fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from lorarar.lora.dialects import alpha_of, foreign_kind
from lorarar.lora.files import Source, adapter_of, open_sources
from lorarar.lora.header import PROVENANCE, provenance_of
from lorarar.util.errors import AdapterError

#: The first that fits a layer's name is its kind; tables are in this order.
_KINDS = {
    r"^text_encoder\.": "text encoder 1",
    r"^text_encoder_2\.": "text encoder 2",
    r"\.to_q$": "UNet attention query",
    r"\.to_k$": "UNet attention key",
    r"\.to_v$": "UNet attention value",
    r"\.to_out\.0$": "UNet attention output",
    r"\.ff\.": "UNet feed-forward",
    r"\.proj_(in|out)$": "UNet projection",
    r"time_emb_proj$|(time|add)_embedding\.": "UNet time embedding",
    r"conv": "UNet convolution",
    r"": "UNet other",
}


@dataclass(frozen=True)
class Target:
    """The layers of one kind that an adapter changes."""

    kind: str
    layers: int
    parameters: int


@dataclass(frozen=True)
class Inspection:
    """What is known of an adapter's file or folder."""

    path: str
    bytes: int  # of its tensor files
    tensors: int
    parameters: int  # numbers in them, alphas not counted
    dtypes: list[str]
    dialects: list[str]  # also kinds that cannot be used
    ranks: list[int]
    alphas: list[float]  # distinct ones; empty where there are none, and the scale is 1
    targets: list[Target]
    metadata: dict[str, str]  # of the header, ours not among it
    record: dict[str, Any]  # what made it, where this program wrote it
    unread: dict[str, str]  # reason by key
    unusable: str | None  # why reading it as an adapter fails


def inspect_adapter(path: str | Path) -> Inspection:
    """Describe a LoRA file or PEFT folder.

    Raises:
        AdapterError: a file that is missing or cannot be read as tensors.
    """
    path = Path(path)
    sources = open_sources(path)
    layers = {layer: roles for source in sources for layer, roles in source.found.layers.items()}
    weights = [tensor for source in sources for key, tensor in source.tensors.items() if not key.endswith(".alpha")]
    return Inspection(
        path=str(path),
        bytes=sum(source.place.weights.stat().st_size for source in sources),
        tensors=sum(len(source.tensors) for source in sources),
        parameters=sum(tensor.numel() for tensor in weights),
        dtypes=sorted({str(tensor.dtype).removeprefix("torch.") for tensor in weights}),
        dialects=_dialects(sources),
        ranks=sorted({roles["down"].shape[0] for roles in layers.values() if "down" in roles and roles["down"].dim()}),
        alphas=sorted({alpha for source in sources for alpha in _alphas(source)}),
        targets=_targets({layer: roles.values() for layer, roles in layers.items()}),
        metadata={k: v for source in sources for k, v in source.metadata.items() if k != PROVENANCE},
        record=next(filter(None, (provenance_of(source.metadata) for source in sources)), {}),
        unread={key: why for source in sources for key, why in source.found.unread.items()},
        unusable=_refusal(path, sources),
    )


def kind_of(layer: str) -> str:
    """What a layer is, for people: ``UNet attention query``, ``text encoder 1``."""
    return next(kind for pattern, kind in _KINDS.items() if re.search(pattern, layer))


def _dialects(sources: list[Source]) -> list[str]:
    known = {dialect for source in sources for dialect in source.found.dialects}
    foreign = {foreign_kind(key) for source in sources for key in source.found.unread}
    return sorted(known | {kind for kind in foreign if kind})


def _targets(layers: dict[str, Iterable[Tensor]]) -> list[Target]:
    sizes: dict[str, list[int]] = {}
    for layer, tensors in layers.items():
        sizes.setdefault(kind_of(layer), []).append(sum(tensor.numel() for tensor in tensors if tensor.dim() > 1))
    return [Target(kind, len(sizes[kind]), sum(sizes[kind])) for kind in _KINDS.values() if kind in sizes]


def _alphas(source: Source) -> Iterable[float]:
    for layer, roles in source.found.layers.items():
        try:
            alpha = alpha_of(layer, roles, source.configs.get(layer.partition(".")[0]))
        except AdapterError:
            continue  # said as the reason why it cannot be used
        if alpha is not None:
            yield alpha


def _refusal(path: Path, sources: list[Source]) -> str | None:
    try:
        adapter_of(path, sources)
    except AdapterError as error:
        return str(error)
    return None
