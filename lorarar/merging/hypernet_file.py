"""Hypernetworks from and to files: our safetensors, and the authors' published state dicts as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from lorarar.lora.adapter import PREDICTABLE
from lorarar.lora.header import provenance_of
from lorarar.lora.tensors import read_tensors, save_tensors
from lorarar.merging.head import ConstantRule, Head, HeadForm, OthersRule
from lorarar.merging.heads.table import HEADS
from lorarar.merging.hypernet import Hypernetwork, from_published, load_state
from lorarar.merging.means import Means
from lorarar.merging.means_file import FIELD, PREFIX, mean_tensors
from lorarar.util.errors import HypernetError

LARGEST_SIZE = 2**31  # of a layer


def read_hypernet(path: str | Path, key_value: ConstantRule | None = None) -> Head:
    """Read a hypernetwork with whatever head its header says: ours (``.safetensors``), or the authors' (``.pth``).

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
    network: Head, path: str | Path, provenance: Mapping[str, object] | None = None, means: Means | None = None
) -> Path:
    """Write a hypernetwork as safetensors, its form and what made it in the header, with its means where it has any."""
    path = Path(path)
    form: dict[str, object] = {"kind": "hypernetwork", **_header_of(network)}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    if means is not None:
        tensors |= mean_tensors(means)
        form[FIELD] = means.looks.record()
    save_tensors(tensors, path, {**(provenance or {}), **form})
    return path


def _header_of(network: Head) -> dict[str, object]:
    """A head and its form as a header has them; what files of before did not say is left out where it is as then."""
    form = network.form
    header: dict[str, object] = {"widths": form.widths} if form.widths else {}
    header |= {"hidden": form.hidden, "parts": form.parts, "key_value": form.key_value}
    if form.others != HeadForm.others:
        header["others"] = form.others
    if network.name != Hypernetwork.name:
        header["head"] = network.name
    return header


def _ours(path: Path, state: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Head:
    header = provenance_of(metadata)
    head = header.get("head", Hypernetwork.name)
    if header.get("kind") == "hypernetwork" and head not in [*HEADS]:
        raise HypernetError(
            f"{path} has the head {head!r}, which this version does not know; it knows {', '.join(HEADS)}"
        )
    try:
        form = _form(header)
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise HypernetError(f"{path} is not a hypernetwork: its header lacks a sound {error}") from None
    with torch.device("meta"):  # whatever sizes a header says, memory is taken for what the file has alone
        network = HEADS[head].kind.of(form)
    load_state(network, state)
    return network


def _form(header: Mapping[str, Any]) -> HeadForm:
    """The form that a header says.

    Raises:
        KeyError: it lacks something, or says it unsoundly.
        ValueError, TypeError, OverflowError: a number is none.
    """
    if header["kind"] != "hypernetwork" or header["key_value"] not in get_args(ConstantRule):
        raise KeyError("kind")
    if not {*header["parts"]} <= {*PREDICTABLE}:
        raise KeyError("parts")
    if (others := header.get("others", HeadForm.others)) not in get_args(OthersRule):
        raise KeyError("others")
    parts = tuple(part for part in PREDICTABLE if part in header["parts"])
    widths = tuple(_size("widths", width) for width in header.get("widths", ()))
    return HeadForm(_size("hidden", header["hidden"]), parts, header["key_value"], others, widths)


def _size(name: str, number: Any) -> int:
    """A size of a header.

    Raises:
        KeyError: it is none that weights can have.
        ValueError, TypeError, OverflowError: it is no number.
    """
    if not 0 < (size := int(number)) < LARGEST_SIZE:
        raise KeyError(name)
    return size
