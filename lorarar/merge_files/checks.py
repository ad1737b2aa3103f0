"""Checks of merges: that the numbers are finite and the result's place is sound."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.lora.adapter import Adapter, all_finite
from lorarar.lora.files import check_replaceable
from lorarar.lora.layouts import layout_named
from lorarar.merging.methods.table import optimised
from lorarar.util.errors import AdapterError, MethodError
from lorarar.util.formatting import in_words
from lorarar.util.outputs import check_output, check_output_folder

if TYPE_CHECKING:
    from lorarar.merging.recipe import Recipe
    from lorarar.pictures.description import Description


def check_finite(adapter: Adapter, what: str = "the merge") -> None:
    """Refuse an adapter that a narrow dtype cannot hold; ``what`` it is of a layer, for the message.

    Raises:
        AdapterError: a factor of a layer has NaN or infinite values.
    """
    for layer, factors in adapter.layers.items():
        if not (all_finite(factors.down) and all_finite(factors.up)):
            name = str(factors.down.dtype).removeprefix("torch.")
            raise AdapterError(f"{what} of {layer} does not fit {name}; a wider --dtype or smaller weights would")


def check_given(recipe: Recipe, given: Iterable[Description]) -> None:
    """Refuse what is said of LoRAs' prompts and pictures where no one asks for it.

    Raises:
        MethodError: the recipe optimises no coefficients, and is not calibrated, or there are pictures, where that
            takes prompts alone.
    """
    if recipe.optimises or not any(given):
        return
    if not recipe.method.calibrated:
        raise MethodError(
            f"prompts and pictures are of no use to {recipe.method.name} here; they are for coefficients that are "
            f"optimised, as {in_words(optimised())} do without coefficients from a file, and prompts for ssr"
        )
    if any(one.images for one in given):
        raise MethodError(f"pictures are of no use to {recipe.method.name}; it takes prompts alone")


def check_place(out: Path, layout: str, inputs: Iterable[Path]) -> None:
    """Refuse a place where a merge could not be read back, or would be written over something else.

    Args:
        out: a file, or for a layout that is one a folder, which is replaced whole.
        layout: of the merge.
        inputs: files and folders that may not be written over.

    Raises:
        OutputError, AdapterError: the message says what is accepted.
    """
    if not layout_named(layout).folder:
        check_output(out, ".safetensors", inputs=inputs)
        return
    check_output_folder(out, inputs=[place for one in inputs for place in (one, *one.parents[:2])])
    check_replaceable(out, layout)
