"""Checks of adapters: that the base has their layers, and that their numbers are finite."""

from __future__ import annotations

from lorarar.families import Base
from lorarar.generation.bases import unet_shapes
from lorarar.lora.adapter import Adapter, all_finite, shape_text
from lorarar.util.errors import AdapterError


def check_base(base: Base, *adapters: Adapter) -> None:
    """Refuse adapters whose UNet layers the base does not have in that shape.

    Raises:
        AdapterError: the message names layer and shapes.
    """
    shapes = unet_shapes(base)
    if shapes is None:
        return
    for adapter in adapters:
        for layer, factors in adapter.layers.items():
            if layer.startswith("unet.") and shapes.get(layer) != factors.shape:
                there = shape_text(shapes[layer]) if layer in shapes else "absent"
                raise AdapterError(
                    f"{adapter.name} does not fit base {base.name}: {layer} is {shape_text(factors.shape)} here and "
                    f"{there} there; name the base it was trained for with --base"
                )


def check_finite(adapter: Adapter) -> None:
    """Refuse a merge that a narrow dtype cannot hold.

    Raises:
        AdapterError: a factor of a layer has NaN or infinite values.
    """
    for layer, factors in adapter.layers.items():
        if not (all_finite(factors.down) and all_finite(factors.up)):
            name = str(factors.down.dtype).removeprefix("torch.")
            raise AdapterError(f"the merge of {layer} does not fit {name}; a wider --dtype or smaller weights would")
