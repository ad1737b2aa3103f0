"""Files of named tensors, safetensors or pickled state dicts; what they hold is untrusted.

Invariant: reading runs no code of a file, and every tensor that comes out is a plain one on the CPU whose
values really stand in the file. A file is written whole or not at all, and equal contents are equal bytes.
"""

from __future__ import annotations

import json
import pickle
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from lorarar.lora.adapter import all_finite
from lorarar.lora.header import PROVENANCE
from lorarar.util.errors import AdapterError, LorarError, reason
from lorarar.util.files import is_text, missing, replacing
from lorarar.util.tensor_header import what_is_wrong
from lorarar.util.text import readable

PICKLES = (".bin", ".pt", ".pth", ".ckpt")
STATES = ("state_dict", "model_state_dict")  # under which a training's checkpoint has its tensors


def read_tensors(path: Path, error: type[LorarError]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a file by name, and its header's metadata (a pickle has none).

    Raises:
        error: the file is missing, broken, of another kind, or would run code on loading.
    """
    if not is_text(path):
        raise error(f"{readable(path)} is no UTF-8, which no database or header can keep; rename it")
    if not path.is_file():
        raise error(f"{path} is not a file" if path.exists() else missing(path))
    kind = path.suffix.lower()
    if kind not in (".safetensors", *PICKLES):
        raise error(f"{path} ends in {kind or 'nothing'}; accepted are .safetensors, {', '.join(PICKLES)}")
    return (_read_pickle(path, error), {}) if kind in PICKLES else _read_safetensors(path, error)


def save_tensors(
    tensors: Mapping[str, Tensor],
    path: Path,
    provenance: Mapping[str, object],
    fields: Mapping[str, str] | None = None,
) -> None:
    """Write a safetensors file, whole or not at all, with its provenance as JSON under one key of its header.

    Equal contents are equal bytes: the header's keys are in order, which safetensors itself leaves to chance.

    Args:
        tensors: by key.
        path: where.
        provenance: what made the file.
        fields: further ones of the header, which other programs read.

    Raises:
        AdapterError: the file cannot be written, its name is one that ``read_tensors`` would not take for it, or a
            value is not finite, with which no reader would take it.
    """
    if path.suffix.lower() != ".safetensors":
        raise AdapterError(f"cannot write {path}; accepted is a name ending in .safetensors")
    if unsound := [key for key, tensor in tensors.items() if not all_finite(tensor)]:
        raise AdapterError(f"cannot write {path}: {unsound[0]} has values that are not finite")
    header = {PROVENANCE: json.dumps(provenance, sort_keys=True), **dict(sorted((fields or {}).items()))}
    try:
        with replacing(path) as partial:
            save_file(_apart(tensors), partial, _placeholder(header))
            _write_metadata(partial, header)
    except (OSError, SafetensorError) as error:
        raise AdapterError(f"cannot write {path}: {error}") from None


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors, each with memory of its own, as safetensors wants them: layers that were one may share their A."""
    places: set[int] = set()
    apart: dict[str, Tensor] = {}
    for key, tensor in tensors.items():
        apart[key] = tensor.clone() if tensor.data_ptr() in places else tensor
        places.add(tensor.data_ptr())
    return apart


def _metadata_text(header: Mapping[str, str]) -> bytes:
    return json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()


def _placeholder(header: Mapping[str, str]) -> dict[str, str]:
    """Metadata of one key, which safetensors writes with as many bytes as these will take."""
    return {PROVENANCE: " " * (len(_metadata_text(header)) - len(_metadata_text({PROVENANCE: ""})))}


def _write_metadata(path: Path, header: Mapping[str, str]) -> None:
    """Put the metadata in the place of their placeholder, which stands first in the file's header."""
    with path.open("r+b") as file:
        file.seek(8)  # behind the header's length
        start, held = b'{"__metadata__":', _metadata_text(_placeholder(header))
        if file.read(len(start) + len(held)) != start + held:
            raise OSError("safetensors writes its header in another way than is known here")
        file.seek(8 + len(start))
        file.write(_metadata_text(header))


def _read_safetensors(path: Path, error: type[LorarError]) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, "pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as caught:
        raise error(f"{path} {what_is_wrong(path, caught)}") from None


def _read_pickle(path: Path, error: type[LorarError]) -> dict[str, Tensor]:
    try:
        with torch.serialization.safe_globals([Namespace]):  # a training's arguments, which are plain data
            state = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise error(f"{path} is refused: it would run code on loading, or is no state dict") from None
    except Exception as caught:  # what a broken pickle makes the reader raise is its writer's choice
        raise error(f"{path} cannot be read: {reason(caught)}") from None
    if isinstance(state, dict):
        state = next((state[name] for name in STATES if isinstance(state.get(name), dict)), state)
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise error(f"{path} is not a state dict of tensors")
    for key, tensor in state.items():
        if not _is_plain(tensor):
            raise error(f"{path}: {key} is not a plain tensor; accepted are dense ones with all their values")
    return {str(key): tensor.detach() for key, tensor in state.items()}


def _is_plain(tensor: Tensor) -> bool:
    """Whether a tensor is dense, on the CPU, and no larger than what the file stores: a view can claim any shape."""
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
        return False
    return tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()
