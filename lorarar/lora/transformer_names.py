"""Which transformer's names the keys of a file are: by names, shapes, and the base that is asked for."""

from __future__ import annotations

from collections.abc import Iterator

from lorarar.families import FAMILIES, Family
from lorarar.families.layer_table import Layers, read_table
from lorarar.families.module_names import ModuleNames
from lorarar.lora.adapter import Adapter
from lorarar.lora.foreign_bases import Shapes, base_of_names
from lorarar.lora.made_for import family_of_adapter
from lorarar.lora.transformer_spelling import PlacedKey, place_of, placed_key


def names_of_keys(shapes: Shapes, family: Family | None = None) -> ModuleNames | None:
    """The names by which the keys of a file are read; None where they are no transformer's, or a foreign one's.

    Of several that read as many keys, those with the fewest tensors in other shapes than their base's layers have
    count, then those of the family, then those of the base that names and widths tell.

    Args:
        shapes: of the tensors, by key.
        family: of the base that the file is read for.
    """
    told = base_of_names(shapes)
    candidates = list(_candidates())
    if told and not any(told in names.bases for _, names in candidates):
        return None
    scores: list[tuple[tuple[int, int, bool, bool], int]] = []
    for number, (one, names) in enumerate(candidates):
        read = {key: placed for key in shapes if (placed := placed_key(key, names))}
        if read:
            table = read_table(names.table)
            misfits = sum(not _fits(placed, shapes[key], table) for key, placed in read.items())
            scores.append(((-len(read), misfits, one is not family, told not in names.bases), number))
    return candidates[min(scores)[1]][1] if scores else None


def names_of_adapter(adapter: Adapter) -> ModuleNames | None:
    """The names of the transformer whose layers an adapter has; None where it has none."""
    if (family := family_of_adapter(adapter)) and family.architecture:
        return family.architecture.names
    own = FAMILIES.get(adapter.family)
    ranked = sorted(_candidates(), key=lambda candidate: candidate[0] is not own)
    return next((names for _, names in ranked if _names_all(names, adapter)), None)


def _names_all(names: ModuleNames, adapter: Adapter) -> bool:
    """Whether an adapter has layers of the transformer, and these names have all of them."""
    own = [layer for layer in adapter.layers if layer.startswith(f"{names.component}.")]
    return bool(own) and all(place_of(layer.removeprefix(f"{names.component}."), names) for layer in own)


def _candidates() -> Iterator[tuple[Family, ModuleNames]]:
    for family in FAMILIES.values():
        if family.architecture and (names := family.architecture.names):
            yield family, names


def _fits(placed: PlacedKey, shape: tuple[int, ...], table: Layers) -> bool:
    """Whether a tensor has as many rows, or columns, as the layers that it is of."""
    weights = [table.get(layer) for layer in placed.place.layers]
    rows = [weight[0] for weight in weights if weight]
    if len(rows) < len(weights) or not weights[0]:
        return False
    if placed.role == "up":
        return shape[0] == sum(rows)
    return placed.role != "down" or shape[1:] == weights[0][1:]
