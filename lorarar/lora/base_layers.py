"""The layers that a base has, without loading it: from its folder's headers, else from its family's table."""

from __future__ import annotations

from pathlib import Path

from lorarar.families import FAMILIES, Base, Family, architecture_family, family_of
from lorarar.families.layer_table import Layers, layers_of_weights, read_table
from lorarar.families.table import INDEX
from lorarar.util.errors import BaseError, LorarError
from lorarar.util.hub_cache import cached_file
from lorarar.util.tensor_header import read_tensor_header


def layers_of(base: Base) -> Layers | None:
    """Every layer of a base that a LoRA can change, with the shape of its weight.

    Returns:
        None where nothing is known: a base of the hub that is neither on this machine nor a family's own, or files of
        an architecture without a table.

    Raises:
        BaseError: a file of the base is broken.
    """
    named = FAMILIES.get(base.name)
    if not base.folder and named and (table := _table_of(named)):
        return table  # without a look into the hub's cache, whose library takes longer to load than a merge
    folder = folder_of(base)
    if layers := _layers_of_folder(folder, family_of(base)) if folder else {}:
        return layers
    family = named or architecture_family(base)
    return _table_of(family) if family else None


def layers_of_family(family: Family) -> Layers | None:
    """The layers that a family's LoRAs have: of its table, else of its base where that is on this machine."""
    try:
        return _table_of(family) or layers_of(family.find_base())
    except LorarError:  # another package's base may be missing; the family is then not compared with
        return None


def _table_of(family: Family) -> Layers | None:
    place = family.architecture and family.architecture.layers
    return read_table(place) if place else None


def folder_of(base: Base) -> Path | None:
    """The folder that has the base's files: its own, or that of the hub's cache; None where neither is here."""
    if base.folder or Path(base.location).exists():
        return base.folder
    index = cached_file(base.location, INDEX, base.revision)
    return index.parent if index else None


def _layers_of_folder(folder: Path, family: Family) -> Layers:
    return {
        layer: shape
        for component in family.modules.adapted
        for file in sorted((folder / component).glob("*.safetensors"))
        for layer, shape in layers_of_weights(component, read_tensor_header(file, BaseError).shapes).items()
    }
