"""Flags that say where a training runs, for every command that trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.merging.methods.table import optimised
from lorarar.training.place import Precision, TrainingPlace
from lorarar.util.errors import MethodError
from lorarar.util.formatting import in_words

if TYPE_CHECKING:
    from lorarar.merging.recipe import Recipe

TrainingDeviceOption = Annotated[
    str | None,
    typer.Option("--device", help="Train on: cpu, cuda, cuda:1 or mps.", show_default="a GPU if there is one"),
]
MergingDeviceOption = Annotated[
    str | None,
    typer.Option(
        "--device",
        help="Merge, optimise coefficients and calibrate on: cpu, cuda, cuda:1 or mps.",
        show_default="cpu; coefficients and calibration on a GPU if there is one",
    ),
]
PrecisionOption = Annotated[
    Precision | None,
    typer.Option(
        "--precision",
        help="Train in mixed precision; no: all in float32.",
        show_default="bf16 on CUDA, or fp16 on what has no bf16; else no",
    ),
]

#: Of Pocket's recipe, which trains in float32 wherever it runs unless something else is asked for.
PocketPrecisionOption = Annotated[
    Precision, typer.Option("--precision", help="Train in mixed precision; no: all in float32.")
]


def place_given(recipe: Recipe, device: str | None, precision: Precision | None) -> TrainingPlace:
    """Where a recipe's coefficients are optimised, or its LoRAs calibrated, which has no precision of its own.

    Raises:
        MethodError: something is said of it, and the recipe has no use for it.
    """
    flags = (("--device", device, recipe.uses_base), ("--precision", precision, recipe.optimises))
    given = [flag for flag, value, is_used in flags if value is not None and not is_used]
    if given:
        raise MethodError(
            f"{given[0]} is of no use to {recipe.method.name} here; it is for coefficients that are optimised, as "
            f"{in_words(optimised())} do without coefficients from a file"
        )
    return TrainingPlace(device, precision)
