"""Hypernetworks from and to files: our safetensors, and the authors' published state dicts as they are."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from lorarar.adapter import Part
from lorarar.adapter_file import record_of, save_tensors
from lorarar.errors import HypernetError, reason
from lorarar.hypernet import Hypernetwork, KeyValue, from_published, load_state

_PARTS: tuple[Part, ...] = ("query", "key", "value", "output")


def read_hypernet(path: str | Path, key_value: KeyValue | None = None) -> Hypernetwork:
    """Read a hypernetwork: ours (``.safetensors``), or the authors' (``.pth``).

    Args:
        path: the file.
        key_value: rule for layers that are not predicted; by default the file's own, which for the
            authors' is ``sum``, since that is how theirs were trained.

    Raises:
        HypernetError: the file is missing, broken, not a hypernetwork, or would run code on loading.
    """
    path = Path(path)
    if not path.is_file():
        raise HypernetError(f"{path} does not exist")
    network = _read_ours(path) if path.suffix == ".safetensors" else from_published(_read_pickle(path))
    if key_value is not None:
        network.key_value = key_value
    return network.eval().requires_grad_(False)


def write_hypernet(network: Hypernetwork, path: str | Path, record: Mapping[str, object] | None = None) -> Path:
    """Write a hypernetwork as safetensors, its form and what made it in the header."""
    path = Path(path)
    form = {
        "kind": "hypernetwork",
        "widths": network.widths,
        "hidden": network.hidden,
        "parts": network.parts,
        "key_value": network.key_value,
    }
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    save_tensors(tensors, path, {**(record or {}), **form})
    return path


def _read_ours(path: Path) -> Hypernetwork:
    try:
        with safe_open(path, "pt") as file:
            form = record_of(file.metadata() or {})
            state = {key: file.get_tensor(key) for key in file.keys()}
    except (SafetensorError, OSError, ValueError) as error:
        raise HypernetError(f"{path} is not a sound safetensors file: {error}") from None
    try:
        if form["kind"] != "hypernetwork" or form["key_value"] not in ("mean", "sum"):
            raise KeyError("kind")
        parts = [part for part in _PARTS if part in form["parts"]]
        widths = [int(width) for width in form["widths"]]
        network = Hypernetwork(widths, int(form["hidden"]), parts, form["key_value"])
    except (KeyError, ValueError, TypeError) as error:
        raise HypernetError(f"{path} is not a hypernetwork: its header lacks a sound {error}") from None
    load_state(network, state)
    return network


def _read_pickle(path: Path) -> dict[str, Tensor]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise HypernetError(f"{path} is refused: it would run code on loading, or is no state dict") from None
    except (OSError, RuntimeError, EOFError, ValueError) as error:
        raise HypernetError(f"{path} cannot be read: {reason(error)}") from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise HypernetError(f"{path} is not a state dict of tensors")
    return {str(key): value.float() for key, value in state.items()}
