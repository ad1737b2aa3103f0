"""Whether a LoRA fits a base: every layer that it changes has to be there, in its shape, in all models of the base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lorarar.families import Base, family_of
from lorarar.families.layer_table import Layers
from lorarar.lora.adapter import Adapter, shape_text
from lorarar.lora.base_layers import layers_of
from lorarar.lora.foreign_bases import Shapes
from lorarar.lora.made_for import base_of_adapter, families_of
from lorarar.util.errors import AdapterError
from lorarar.util.messages import message_once


@dataclass(frozen=True)
class Misfit:
    """A layer of a LoRA that a base does not have in its shape."""

    layer: str
    here: tuple[int, ...]
    there: tuple[int, ...] | None  # None: absent

    def __str__(self) -> str:
        """For people: layer, shape here, shape or "absent" there."""
        there = shape_text(self.there) if self.there else "absent"
        return f"{self.layer} is {shape_text(self.here)} here and {there} there"


def check_fit(adapter: Adapter, base: Base) -> None:
    """Refuse a LoRA that does not fit a base, as far as the base's layers are known without loading it.

    Raises:
        AdapterError: the message names a layer, its shapes, and the base that the LoRA seems to be made for.
        BaseError: a file of the base is broken.
    """
    check_layers(adapter, base, layers_of(base))


def check_layers(adapter: Adapter, base: Base, layers: Layers | None) -> None:
    """Refuse a LoRA that does not fit a base of these layers, of which None are known where it is None.

    Raises:
        AdapterError: as ``check_fit``.
    """
    if found := misfits(adapter.shapes, base, layers):
        raise AdapterError(f"{adapter.name} does not fit base {base.name}: {_refusal(adapter, found)}")


def without_missing(adapter: Adapter, base: Base) -> Adapter:
    """The part of a LoRA that a base has layers for; what is left out is said on stderr.

    Raises:
        AdapterError: a layer that is there has another shape, or no layer is left.
    """
    missing = {misfit.layer for misfit in misfits(adapter.shapes, base, layers_of(base)) if misfit.there is None}
    if not missing:
        return adapter
    left = {layer: factors for layer, factors in adapter.layers.items() if layer not in missing}
    if not left:
        raise AdapterError(f"base {base.name} has no layer of {adapter.name}")
    message_once(
        f"{adapter.name}: {len(missing)} of {len(adapter.layers)} layers are left out, which base {base.name} has not",
        "yellow",
    )
    return replace(adapter, layers=left)


def misfits(layers: Shapes, base: Base, base_layers: Layers | None) -> list[Misfit]:
    """The layers of a LoRA that a base does not have in their shape; what is not known of the base is not compared."""
    if base_layers is None:
        return []
    known = {layer.partition(".")[0] for layer in base_layers}
    unknown = {*family_of(base).modules.adapted} - known  # models of the base whose files have no header to read
    return [
        Misfit(layer, shape, base_layers.get(layer))
        for layer, shape in layers.items()
        if base_layers.get(layer) != shape and layer.partition(".")[0] not in unknown
    ]


def summary(found: Sequence[Misfit], layers: Shapes) -> str:
    """The first of what does not fit, and how much that is of all layers."""
    others = f" ({len(found)} of its {len(layers)} layers do not fit)" if len(found) > 1 else ""
    return f"{found[0]}{others}"


def check_one_base(adapters: Sequence[Adapter]) -> None:
    """Refuse LoRAs that no base known here fits together, each of which fits one alone.

    Raises:
        AdapterError: the message names two of them and their bases.
    """
    first, *others = adapters
    for other in others:
        sides = [families_of(adapter.shapes) for adapter in (first, other)]
        names = [{family.name for family in families} for families in sides]
        if all(names) and not names[0] & names[1]:
            bases = [" or ".join(family.title for family in families) for families in sides]
            raise AdapterError(
                f"{first.name} and {other.name} are of different base models: one is a LoRA for {bases[0]}, the other "
                f"for {bases[1]}"
            )


def _refusal(adapter: Adapter, found: Sequence[Misfit]) -> str:
    """What does not fit, what the LoRA is made for, and what to do."""
    origin = base_of_adapter(adapter)
    made = f"; it is a LoRA for {origin}" if origin.titles else ""
    cut = len(found) < len(adapter.layers) and all(misfit.there is None for misfit in found)
    leaving = ", or leave out what the base has not: lorarar merge --drop-missing" if cut else ""
    return f"{summary(found, adapter.shapes)}{made}; name the base it was trained for with --base{leaving}"
