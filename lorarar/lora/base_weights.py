"""The weights of a base, one layer at a time, from its files: for updates that depend on them.

Nothing else of the base is loaded. A pipeline folder has its layers under diffusers' and transformers' names; a
checkpoint file has those of the UNet under sgm's, and the second text encoder under OpenCLIP's, which keeps queries,
keys and values in one matrix.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from safetensors import SafetensorError, safe_open
from torch import Tensor

from lorarar.families import Base, architecture_family, family_of
from lorarar.families.layer_table import layers_of_weights
from lorarar.lora.adapter import Adapter
from lorarar.lora.base_layers import folder_of
from lorarar.lora.conversion.layer import RANK, Conversion
from lorarar.lora.files import read_adapter
from lorarar.lora.sgm import diffusers_path
from lorarar.util.errors import BaseError
from lorarar.util.tensor_header import read_tensor_header

_UNET = "model.diffusion_model."
_CLIP_L = re.compile(
    r"(?:conditioner\.embedders\.0|cond_stage_model)\.transformer\.(text_model\.encoder\.layers\..+)\.weight"
)
_CLIP_G = re.compile(r"conditioner\.embedders\.1\.model\.transformer\.resblocks\.(\d+)\.(.+?)[._]weight")
_CLIP_G_PROJECTION = "conditioner.embedders.1.model.text_projection"
_CLIP_G_MODULES = {"attn.out_proj": "self_attn.out_proj", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2"}
_CLIP_G_FUSED = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")  # thirds of its rows


class WeightPlace(NamedTuple):
    """Where the weight of a layer stands."""

    file: Path
    key: str
    third: int | None = None  # of the rows, where several layers share one matrix
    transposed: bool = False


def read_adapter_for(base: Base | None, path: str | Path, rank: int = RANK) -> Adapter:
    """Read a LoRA for a base: as ``read_adapter``, also where its update depends on the base's weights.

    Raises:
        AdapterError: as ``read_adapter``.
        BaseError: a file of the base is broken.
    """
    return read_adapter(path, Conversion(rank, BaseWeights(base) if base else None), family_of(base) if base else None)


class BaseWeights:
    """The weights of a base by layer; its files are looked into when the first is asked for."""

    def __init__(self, base: Base) -> None:
        self.base = base

    def __call__(self, layer: str) -> Tensor | None:
        """The weight of a layer; None where the base has none of that name, or is not on this machine.

        Raises:
            BaseError: a file of the base is broken.
        """
        place = self._places.get(layer)
        if place is None:
            return None
        try:
            with safe_open(place.file, "pt") as file:
                weight: Tensor = file.get_tensor(place.key)
        except (SafetensorError, OSError) as error:
            raise BaseError(f"{place.file} cannot be read: {error}") from None
        if place.third is not None:
            weight = weight.chunk(3)[place.third]
        return weight.T if place.transposed else weight

    @cached_property
    def _places(self) -> dict[str, WeightPlace]:
        if self.base.file:
            if not _is_numbered_by_two(self.base):
                return {}
            keys = read_tensor_header(self.base.file, BaseError).shapes
            return dict(pair for key in keys for pair in _of_checkpoint(self.base.file, key))
        folder = folder_of(self.base)
        return dict(_of_folder(self.base, folder)) if folder else {}


def _is_numbered_by_two(base: Base) -> bool:
    """Whether a checkpoint's UNet has two layers in a block, by which ``diffusers_path`` counts."""
    family = architecture_family(base)
    unet = family.architecture.components.get("unet") if family and family.architecture else None
    return unet is not None and unet.config.get("layers_per_block", 2) == 2


def _of_folder(base: Base, folder: Path) -> Iterator[tuple[str, WeightPlace]]:
    """Layers and where they stand; of several files with one layer that of the base's variant comes last."""
    for component in family_of(base).modules.adapted:
        files = sorted((folder / component).glob("*.safetensors"))
        for file in sorted(files, key=lambda file: file.name.split(".")[1:-1] == [base.variant] * bool(base.variant)):
            for key, shape in read_tensor_header(file, BaseError).shapes.items():
                for layer in layers_of_weights(component, {key: shape}):
                    yield layer, WeightPlace(file, key)


def _of_checkpoint(file: Path, key: str) -> Iterator[tuple[str, WeightPlace]]:
    """The layers that one key of a checkpoint file has the weights of."""
    if key.startswith(_UNET):
        if path := diffusers_path(key.removeprefix(_UNET).removesuffix(".weight")):
            yield f"unet.{path}", WeightPlace(file, key)
    elif match := _CLIP_L.fullmatch(key):
        yield f"text_encoder.{match[1]}", WeightPlace(file, key)
    elif key == _CLIP_G_PROJECTION:
        yield "text_encoder_2.text_projection", WeightPlace(file, key, transposed=True)
    elif match := _CLIP_G.fullmatch(key):
        layer = f"text_encoder_2.text_model.encoder.layers.{match[1]}"
        if match[2] in _CLIP_G_MODULES:
            yield f"{layer}.{_CLIP_G_MODULES[match[2]]}", WeightPlace(file, key)
        elif match[2] == "attn.in_proj":
            for third, module in enumerate(_CLIP_G_FUSED):
                yield f"{layer}.{module}", WeightPlace(file, key, third)
