"""Hypernetworks from and to files: our safetensors, and the authors' published state dicts as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from torch import Tensor

from lorarar.lora.adapter import PREDICTABLE
from lorarar.lora.header import provenance_of
from lorarar.lora.tensors import read_tensors, save_tensors
from lorarar.merging.hypernet import ConstantRule, Hypernetwork, OthersRule, from_published, load_state
from lorarar.merging.means import Means
from lorarar.merging.means_file import FIELD, PREFIX, mean_tensors
from lorarar.util.errors import HypernetError


def read_hypernet(path: str | Path, key_value: ConstantRule | None = None) -> Hypernetwork:
    """Read a hypernetwork: ours (``.safetensors``), or the authors' (``.pth``).

    Args:
        path: the file.
        key_value: rule for parts of attention that are not predicted; by default the file's own, which for the
            authors' is ``sum``, since that is how theirs were trained.

    Raises:
        HypernetError: the file is missing, broken, not a hypernetwork, or would run code on loading.
    """
    path = Path(path)
    tensors, metadata = read_tensors(path, HypernetError)
    state = {name: tensor for name, tensor in tensors.items() if not name.startswith(PREFIX)}
    if path.suffix.lower() == ".safetensors":
        network = _ours(path, state, metadata)
    else:
        network = from_published({name: tensor.float() for name, tensor in state.items()})
    if key_value is not None:
        network.key_value = key_value
    return network.eval().requires_grad_(False)


def write_hypernet(
    network: Hypernetwork,
    path: str | Path,
    provenance: Mapping[str, object] | None = None,
    means: Means | None = None,
) -> Path:
    """Write a hypernetwork as safetensors, its form and what made it in the header, with its means where it has any."""
    path = Path(path)
    form: dict[str, object] = {
        "kind": "hypernetwork",
        "widths": network.widths,
        "hidden": network.hidden,
        "parts": network.parts,
        "key_value": network.key_value,
    }
    if network.others != "key-value":  # files of before did not say it
        form["others"] = network.others
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    if means is not None:
        tensors |= mean_tensors(means)
        form[FIELD] = means.looks.record()
    save_tensors(tensors, path, {**(provenance or {}), **form})
    return path


def _ours(path: Path, state: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Hypernetwork:
    form = provenance_of(metadata)
    try:
        if form["kind"] != "hypernetwork" or form["key_value"] not in get_args(ConstantRule):
            raise KeyError("kind")
        if not {*form["parts"]} <= {*PREDICTABLE}:
            raise KeyError("parts")
        if (others := form.get("others", "key-value")) not in get_args(OthersRule):
            raise KeyError("others")
        parts = [part for part in PREDICTABLE if part in form["parts"]]
        widths = [int(width) for width in form["widths"]]
        network = Hypernetwork(widths, int(form["hidden"]), parts, form["key_value"], others)
    except (KeyError, ValueError, TypeError) as error:
        raise HypernetError(f"{path} is not a hypernetwork: its header lacks a sound {error}") from None
    load_state(network, state)
    return network
