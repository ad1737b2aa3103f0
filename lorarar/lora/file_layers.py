"""The layers of an adapter's files: checked one by one, made plain LoRA, and what a user has to be told of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from lorarar.families import FAMILIES
from lorarar.lora.adapter import Factors
from lorarar.lora.conversion.layer import Conversion, plain_factors, sound_tensors, update_shape
from lorarar.lora.foreign_bases import base_of_names
from lorarar.lora.fused import split_roles
from lorarar.lora.loaded_file import LoadedFile
from lorarar.lora.roles import Roles, kinds_of
from lorarar.lora.scale import scale_of
from lorarar.lora.truncation import Energy
from lorarar.util.errors import AdapterError
from lorarar.util.formatting import count
from lorarar.util.progress import Ticker

MANY = 50  # conversions from which on progress is shown


@dataclass(frozen=True)
class FileLayer:
    """One layer of a file: its sound tensors by role, its weight's shape, and the scale of its update."""

    name: str
    roles: Roles
    shape: tuple[int, ...]  # of the weight
    scale: float
    file: Path

    @property
    def kinds(self) -> list[str]:
        """What it is besides plain LoRA."""
        return kinds_of(self.roles)


def check_layers(path: Path, files: Sequence[LoadedFile]) -> list[FileLayer]:
    """All layers of an adapter, by name; nothing is computed yet.

    Raises:
        AdapterError: a key is not understood, or a layer is not sound; the message names file and key.
    """
    layers = [layer for loaded in files for layer in _layers_of(loaded)]
    if not layers:
        raise AdapterError(f"{path} holds no LoRA weights")
    layers = sorted(layers, key=lambda layer: layer.name)
    if twice := next((one for one, after in pairwise(layers) if one.name == after.name), None):
        raise AdapterError(f"{twice.file}: {twice.name} is there twice, alone and in a module of several layers")
    return layers


def plain_layers(layers: Sequence[FileLayer], conversion: Conversion) -> tuple[dict[str, Factors], Energy]:
    """The factors of every layer by name, and what the conversions discard.

    Raises:
        AdapterError: a layer cannot be made plain LoRA, or is not finite with its scale.
    """
    factors: dict[str, Factors] = {}
    energy = Energy()
    converted = sum(1 for layer in layers if layer.kinds)
    with Ticker("making LoRA", converted, show=converted >= MANY) as ticker:
        for layer in layers:
            factors[layer.name], of_layer = _plain(layer, conversion)
            energy = energy + of_layer
            if layer.kinds:
                ticker.advance()
    return factors, energy


def remarks_on(
    layers: Sequence[FileLayer], energy: Energy, conversion: Conversion, files: Sequence[LoadedFile]
) -> tuple[str, ...]:
    """What is not as a user may expect, a line each: conversions, layers that do nothing, and what is left out."""
    remarks = [line for loaded in files for line in loaded.parsed.left_out]
    embeddings = [name for loaded in files for name in loaded.parsed.embeddings]
    if converted := [layer for layer in layers if layer.kinds]:
        kinds = ", ".join(sorted({kind for layer in converted for kind in layer.kinds}))
        lost = f"at rank {conversion.rank} at most, {energy.share:.2%} of their energy discarded"
        remarks.append(f"{kinds}: {count(len(converted), 'layer')} read as LoRA, {lost if energy.whole else 'exactly'}")
    if still := sum(1 for layer in layers if layer.scale == 0):
        remarks.append(
            f"alpha is 0, so nothing changes, in {count(still, 'layer')} (kohya's own loader takes 0 for the rank)"
        )
    if embeddings:
        remarks.append(
            f"the embeddings {', '.join(embeddings)} are left out; use them beside what is made of this LoRA"
        )
    return tuple(remarks)


def _layers_of(loaded: LoadedFile) -> list[FileLayer]:
    weights = loaded.file.weights
    for key, why in loaded.parsed.unread.items():
        raise AdapterError(f"{weights}: {key} {why}{_foreign_base(loaded)}")
    layers = []
    for name, roles in loaded.parsed.layers.items():
        config = loaded.config_of(name)
        try:
            sound = sound_tensors(name, roles)
            scale = scale_of(name, sound, config)
            place = loaded.parsed.places.get(name)
            for layer, own in split_roles(place, sound) if place else [(name, sound)]:
                layers.append(FileLayer(layer, own, update_shape(layer, own), scale, weights))
        except AdapterError as error:
            raise AdapterError(f"{weights}: {error}") from None
    return layers


def _foreign_base(loaded: LoadedFile) -> str:
    """The base that a file is made for, where it is none of the families'."""
    base = base_of_names({key: tuple(tensor.shape) for key, tensor in loaded.tensors.items()})
    ours = {family.title for family in FAMILIES.values()}
    return f"; it is a LoRA for {base}" if base and base not in ours else ""


def _plain(layer: FileLayer, conversion: Conversion) -> tuple[Factors, Energy]:
    try:
        return plain_factors(layer.name, layer.roles, layer.scale, conversion)
    except AdapterError as error:
        raise AdapterError(f"{layer.file}: {error}") from None
