"""Means in files: a hypernetwork that was trained here has its own in its file; of others they lie beside it.

``NAME.means.safetensors`` beside ``NAME.safetensors`` or ``NAME.pth`` leaves the network's own bytes, and with them all
that is known by their digest, as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from lorarar.lora.header import provenance_of
from lorarar.lora.tensors import read_tensors, save_tensors
from lorarar.merging.means import LayerMeans, Looks, Means
from lorarar.util.digest import digest_of_facts
from lorarar.util.errors import HypernetError
from lorarar.util.files import sha256_of

PREFIX = "means."  # of the tensors (2,) in a hypernetwork's file, one a layer
FIELD = "means"  # of its header, with the figures of ``Looks``
_SIDES = 2


def beside(hypernet: Path) -> Path:
    """Where the means of a hypernetwork lie that has none in its own file."""
    return hypernet.with_name(f"{hypernet.stem}.means.safetensors")


def find_means(hypernet: Path) -> Means | None:
    """The means of a hypernetwork, from its own file or from the one beside it; None where there are none.

    Raises:
        HypernetError: a file of them is broken, or is of another hypernetwork.
    """
    return own_means(hypernet) or _means_beside(hypernet)


def own_means(hypernet: Path) -> Means | None:
    """The means in a hypernetwork's own file; None where it has none."""
    tensors, metadata = read_tensors(hypernet, HypernetError)
    return _means_of(tensors, metadata, hypernet)


def _means_beside(hypernet: Path) -> Means | None:
    path = beside(hypernet)
    if not path.is_file():
        return None
    tensors, metadata = read_tensors(path, HypernetError)
    if provenance_of(metadata).get("hypernet") != sha256_of(hypernet):
        raise HypernetError(f"{path} has the means of another hypernetwork than {hypernet}; {how_to_get(hypernet)}")
    means = _means_of(tensors, metadata, path)
    if means is None:
        raise HypernetError(f"{path} has no means; {how_to_get(hypernet)}")
    return means


def how_to_get(hypernet: Path) -> str:
    """What gives a hypernetwork its means."""
    return f"take them with: lorarar train means {hypernet} --contents FOLDER --styles FOLDER (of its training LoRAs)"


def write_means_beside(means: Means, hypernet: Path, provenance: Mapping[str, object]) -> Path:
    """Write means beside their hypernetwork, whose file stays as it is.

    Raises:
        AdapterError: they cannot be written.
    """
    path = beside(hypernet)
    facts = {"kind": "means", "hypernet": sha256_of(hypernet), FIELD: means.looks.record()}
    save_tensors(mean_tensors(means), path, {**provenance, **facts})
    return path


def mean_tensors(means: Means) -> dict[str, Tensor]:
    """The tensors of means as a file has them."""
    return {PREFIX + layer: torch.tensor(pair, dtype=torch.float32) for layer, pair in means.layers.items()}


def means_digest(layers: LayerMeans) -> str:
    """The digest of means, of their numbers alone, wherever they lie."""
    return digest_of_facts({layer: list(pair) for layer, pair in layers.items()})


def _means_of(tensors: Mapping[str, Tensor], metadata: Mapping[str, str], path: Path) -> Means | None:
    """The means among a file's tensors; None where there are none."""
    own = {key.removeprefix(PREFIX): tensor for key, tensor in tensors.items() if key.startswith(PREFIX)}
    if not own:
        return None
    for layer, tensor in own.items():
        if tensor.shape != (_SIDES,) or not bool(torch.isfinite(tensor).all()):
            raise HypernetError(f"{path}: the means of {layer} are no two finite numbers")
    try:
        looks = Looks.of_record(provenance_of(metadata)[FIELD])
    except (KeyError, TypeError, ValueError):
        raise HypernetError(f"{path}: its header does not say what its means were taken over") from None
    return Means({layer: (float(tensor[0]), float(tensor[1])) for layer, tensor in own.items()}, looks)
