"""A transformer's updates by the modules of its first authors' code, some of which are several layers in one."""

from __future__ import annotations

from collections.abc import Mapping

from lorarar.families.module_names import ModuleNames, ModulePlace
from lorarar.lora.adapter import Factors
from lorarar.lora.fused import fused


def by_original_module(layers: Mapping[str, Factors], names: ModuleNames | None) -> dict[str, Factors]:
    """The updates by module, its component before its first authors' name; layers of other components as they are.

    Args:
        layers: the updates by layer.
        names: of the transformer; None where there is none, and all stay as they are.
    """
    if names is None:
        return dict(layers)
    own = {layer: factors for layer, factors in layers.items() if layer.startswith(f"{names.component}.")}
    modules = {layer: factors for layer, factors in layers.items() if layer not in own}
    places: dict[str, ModulePlace] = {}
    for layer in own:
        seat = names.seat(layer.removeprefix(f"{names.component}."))
        places.setdefault(f"{names.component}.{seat.name}", names.place_of(seat))
    for name, place in places.items():
        modules[name] = fused(place, [own.get(layer) for layer in place.layers])
    return modules
