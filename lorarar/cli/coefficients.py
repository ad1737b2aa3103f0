"""``lorarar coefficients``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.cli.concept_flags import NAMES, concept_flags, given_pair
from lorarar.cli.console import (
    BaseOption,
    JsonOption,
    PredictionOption,
    VaeOption,
    command,
    one_of,
    print_json,
    print_path,
)
from lorarar.cli.flags import Flag, given_options
from lorarar.cli.given_files import check_there
from lorarar.cli.help_pages import MERGING, help_page
from lorarar.cli.method_flags import check_options, method_flags, method_of
from lorarar.cli.place_flags import PrecisionOption, TrainingDeviceOption, place_given
from lorarar.families import DEFAULT_BASE
from lorarar.util.errors import MethodError
from lorarar.util.messages import stderr_console
from lorarar.util.outputs import check_output

if TYPE_CHECKING:
    from rich.table import Table

    from lorarar.lora.axis import Axis
    from lorarar.merging.coefficient_statistics import Moments, Spread


def coefficient_flags() -> list[Flag]:
    """The flags of the methods that have coefficients."""
    return [*method_flags(lambda method: method.columnwise), *concept_flags()]


@help_page("lorarar coefficients dog.safetensors oil.safetensors -o coefficients.safetensors", panel=MERGING)
@command
def coefficients(
    context: typer.Context,
    content: Annotated[Path, typer.Argument(help="Content LoRA.")],
    style: Annotated[Path, typer.Argument(help="Style LoRA.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where m_c and m_s go (safetensors).")],
    base: BaseOption = DEFAULT_BASE,
    vae: VaeOption = None,
    prediction: PredictionOption = None,
    device: TrainingDeviceOption = None,
    precision: PrecisionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the merging coefficients of every layer, and say how they are spread over blocks and parts.

    With ziplora, ziprank and soups they are optimised for the pair; ``lorarar merge --method ziplora --coefficients
    FILE`` uses them, whichever they are.
    """
    from dataclasses import asdict

    from lorarar.families import find_base
    from lorarar.merging.methods import METHODS, method_named

    method, options = method_of(given := given_options(context), *NAMES)
    one_of("--method", method, [name for name, row in METHODS.items() if row.columnwise], MethodError)
    model = find_base(base, vae=vae, prediction=prediction)
    check_options(method_named(method), options)
    check_output(out, ".safetensors")
    check_there(content, style)
    from lorarar.merge_files import merge_loras, optimiser_for
    from lorarar.merging.coefficient_file import write_coefficients
    from lorarar.merging.coefficient_statistics import spreads
    from lorarar.merging.recipe import Recipe
    from lorarar.util.files import checkpoint_beside

    recipe = Recipe(method_named(method), model, options)
    check_output(out, ".safetensors", inputs=(content, style, *recipe.files))
    concepts, optimiser = given_pair(given), optimiser_for(recipe, place_given(recipe, device, precision))
    merged = merge_loras(recipe, content, style, checkpoint=checkpoint_beside(out), optimiser=optimiser, given=concepts)
    write_coefficients(merged.coefficients, out, merged.provenance())
    by_part = spreads(merged.coefficients)
    if as_json:
        spread_facts = [asdict(spread) for spread in by_part]
        print_json({"path": str(out), "axis": merged.axis, "spreads": spread_facts})
        return
    stderr_console().print(_table(by_part, merged.axis))
    print_path(out)


def _table(by_part: list[Spread], axis: Axis) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from lorarar.lora.axis import AXES

    table = Table(box=SIMPLE_HEAD, pad_edge=False, caption=f"one coefficient for each {AXES[axis]}")
    for head in ("block", "part", "m_c", "range", "m_s", "range", *(["cosine"] if axis == "column" else [])):
        table.add_column(head, overflow="fold")  # in a narrow terminal no figure is cut
    for spread in by_part:
        cells = [cell for side in (spread.content, spread.style) for cell in _cells(side)]
        block = spread.block.replace("_blocks", "").replace("_block", "")
        cosine = [] if spread.cosine is None else [f"{spread.cosine:.3f}"]
        table.add_row(block, spread.part, *cells, *cosine)
    return table


def _cells(side: Moments) -> tuple[str, str]:
    return f"{side.mean:.2f}±{side.deviation:.2f}", f"{side.low:.2f}…{side.high:.2f}"
