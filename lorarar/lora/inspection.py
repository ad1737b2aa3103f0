"""A description of any LoRA file: dialect, ranks, targets, metadata, and why it cannot be used if it cannot.

A file is opened once. Whatever is sound as tensors is described, also where it is no LoRA or a broken one;
the reason given then is the one with which reading it would fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from lorarar.families import Base, family_of
from lorarar.lora.file_layers import FileLayer, check_layers
from lorarar.lora.files import first_provenance
from lorarar.lora.header import PROVENANCE
from lorarar.lora.loaded_file import LoadedFile, load_files
from lorarar.lora.purpose import Purpose, purpose_of
from lorarar.lora.roles import KeyRole, kinds_of
from lorarar.lora.scale import alpha_of, rank_of
from lorarar.lora.unread_keys import foreign_kind
from lorarar.lora.writers import writers_of
from lorarar.util.errors import AdapterError

#: The first that fits a layer's name is its kind; tables are in this order.
_KINDS = {
    r"^text_encoder\.": "text encoder 1",
    r"^text_encoder_2\.": "text encoder 2",
    **{
        rf"^transformer\..*(?:{pattern})": f"transformer {kind}"
        for pattern, kind in {
            r"\.qkv$|\.linear1(_qkv)?$|\.qkv_lora\d$|to_qkv_mlp_proj$": "attention in one matrix",
            r"\.(to_q|add_q_proj)$": "attention query",
            r"\.(to_k|add_k_proj)$": "attention key",
            r"\.(to_v|add_v_proj)$": "attention value",
            r"\.(to_out(\.0)?|to_add_out)$": "attention output",
            r"\.(ff|ff_context|img_mlp|txt_mlp|feed_forward)\.|\.proj_mlp$|_blocks\.\d+\.proj_out$": "feed-forward",
            r"mod(ulation\w*)?\.|norm\d?(_context|_out)?\.linear$": "modulation",
            r"embed": "embedding",
            r"": "other",
        }.items()
    },
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
class LayerGroup:
    """The layers of one kind that an adapter changes, and how many numbers its tensors for them hold."""

    kind: str
    layers: int
    parameters: int


@dataclass(frozen=True)
class Inspection:
    """A description of an adapter's file or folder; its fields are the keys of ``lorarar inspect --json``."""

    path: str
    bytes: int  # of its tensor files
    tensors: int
    parameters: int  # numbers in them, alphas not counted
    dtypes: list[str]
    dialects: list[str]  # also kinds of adapters other than plain LoRA
    writers: list[str]  # programs that wrote it, by its header, or else may have, by its dialects
    ranks: list[int]
    alphas: list[float]  # distinct ones; empty where there are none, and the scale is 1
    targets: list[LayerGroup]
    metadata: dict[str, str]  # of the header, without our provenance
    record: dict[str, Any]  # the provenance, where this program wrote the file
    unread: dict[str, str]  # reason by key
    embeddings: list[str]  # names of those beside the layers, which a merge leaves out
    left_out: list[str]  # what changes nothing and is not read, a line each
    unusable: str | None  # why reading it as an adapter fails
    purpose: Purpose


def inspect_adapter(path: str | Path, base: Base | None = None) -> Inspection:
    """Describe a LoRA file or PEFT folder, and say whether it fits a base.

    Raises:
        AdapterError: a file that is missing or cannot be read as tensors.
        BaseError: a file of the base is broken.
    """
    path = Path(path)
    files = load_files(path, family_of(base) if base else None)
    layers = {layer: roles for loaded in files for layer, roles in loaded.parsed.layers.items()}
    sound, unusable = _layers_or_refusal(path, files)
    weights = [tensor for loaded in files for key, tensor in loaded.tensors.items() if not key.endswith(".alpha")]
    return Inspection(
        path=str(path),
        bytes=sum(loaded.file.weights.stat().st_size for loaded in files),
        tensors=sum(len(loaded.tensors) for loaded in files),
        parameters=sum(tensor.numel() for tensor in weights),
        dtypes=sorted({str(tensor.dtype).removeprefix("torch.") for tensor in weights}),
        dialects=_dialects(files),
        writers=writers_of(
            {key: text for loaded in files for key, text in loaded.metadata.items()},
            [name for loaded in files for name in loaded.parsed.dialects],
        ),
        ranks=sorted({rank for roles in layers.values() if (rank := rank_of(roles))}),
        alphas=sorted({alpha for loaded in files for alpha in _alphas(loaded)}),
        targets=_groups({layer: roles.values() for layer, roles in layers.items()}),
        metadata={k: v for loaded in files for k, v in loaded.metadata.items() if k != PROVENANCE},
        record=first_provenance(files),
        unread={key: why for loaded in files for key, why in loaded.parsed.unread.items()},
        embeddings=[name for loaded in files for name in loaded.parsed.embeddings],
        left_out=[line for loaded in files for line in loaded.parsed.left_out],
        unusable=unusable,
        purpose=purpose_of(
            path,
            {layer.name: layer.shape for layer in sound} or _shapes(layers),
            {key: tuple(tensor.shape) for loaded in files for key, tensor in loaded.tensors.items()},
            {key: value for loaded in files for key, value in loaded.metadata.items()},
            base,
        ),
    )


def kind_of(layer: str) -> str:
    """The kind of a layer, for people: ``UNet attention query``, ``text encoder 1``."""
    return next(kind for pattern, kind in _KINDS.items() if re.search(pattern, layer))


def _dialects(files: list[LoadedFile]) -> list[str]:
    dialects = {dialect for loaded in files for dialect in loaded.parsed.dialects}
    foreign = {foreign_kind(key) for loaded in files for key in loaded.parsed.unread}
    kinds = {kind for loaded in files for roles in loaded.parsed.layers.values() for kind in kinds_of(roles)}
    return sorted(dialects | kinds | {kind for kind in foreign if kind})


def _groups(layers: dict[str, Iterable[Tensor]]) -> list[LayerGroup]:
    sizes: dict[str, list[int]] = {}
    for layer, tensors in layers.items():
        sizes.setdefault(kind_of(layer), []).append(sum(tensor.numel() for tensor in tensors if tensor.dim() > 1))
    return [LayerGroup(kind, len(sizes[kind]), sum(sizes[kind])) for kind in _KINDS.values() if kind in sizes]


def _alphas(loaded: LoadedFile) -> Iterable[float]:
    for layer, roles in loaded.parsed.layers.items():
        try:
            alpha = alpha_of(layer, roles, loaded.config_of(layer))
        except AdapterError:
            continue  # it is among the reasons why the adapter cannot be used
        if alpha is not None:
            yield alpha


def _shapes(layers: Mapping[str, Mapping[KeyRole, Tensor]]) -> dict[str, tuple[int, ...]]:
    """The shapes of updates of which both halves are there, of a file that cannot be read as a whole."""
    halves = {layer: (roles["up"], roles["down"]) for layer, roles in layers.items() if {"up", "down"} <= roles.keys()}
    return {
        layer: (up.shape[0], *down.shape[1:]) for layer, (up, down) in halves.items() if up.dim() > 1 and down.dim() > 1
    }


def _layers_or_refusal(path: Path, files: list[LoadedFile]) -> tuple[list[FileLayer], str | None]:
    """The layers, all sound, or why they cannot be read."""
    try:
        return check_layers(path, files), None
    except AdapterError as error:
        return [], str(error)
