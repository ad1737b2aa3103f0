"""``lorarar convert``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from lorarar.cli.console import JsonOption, command, one_of, print_json, print_path
from lorarar.cli.flags import Flag, given_options
from lorarar.cli.given_files import check_there
from lorarar.cli.help_pages import MERGING, help_page
from lorarar.cli.layout_flag import layout_flag, layout_of
from lorarar.util.dtype import Dtype
from lorarar.util.errors import MethodError
from lorarar.util.messages import message

if TYPE_CHECKING:
    from lorarar.lora.readers import Reading
    from lorarar.merge_files import ConvertedLora


def convert_flags() -> list[Flag]:
    """The layouts."""
    return [layout_flag()]


@help_page("lorarar convert dog.safetensors -o dog-kohya.safetensors --layout kohya --rank 16", panel=MERGING)
@command
def convert(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="LoRA file or PEFT folder, of any dialect.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where it goes.")],
    rank: Annotated[
        int | None, typer.Option("--rank", help="Cut every layer above it to this rank.", min=1, metavar="RANK")
    ] = None,
    dtype: Annotated[
        str | None, typer.Option("--dtype", help="float32, float16 or bfloat16.", show_default="the LoRA's own")
    ] = None,
    base: Annotated[
        str | None,
        typer.Option("--base", help="What it is made for.", metavar="BASE", show_default="what its layers tell"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write one LoRA in another layout, for another program, or at a lower rank."""
    layout = layout_of(given_options(context))
    if dtype is not None:
        one_of("--dtype", dtype, get_args(Dtype), MethodError)
    check_there(file)
    from lorarar.lora.readers import reading_text, readings_of
    from lorarar.merge_files import convert as convert_file

    done = convert_file(
        file, out, layout=layout, rank=rank, dtype=cast("Dtype | None", dtype), base=base, progress=True
    )
    readings = readings_of(done.path, done.adapter)
    if as_json:
        print_json(summary(done, readings))
        return
    message(_description(done))
    message(reading_text(readings))
    print_path(done.path)


def summary(done: ConvertedLora, readings: list[Reading]) -> dict[str, object]:
    """A conversion for machines."""
    return {
        "path": str(done.path),
        "sha256": done.adapter.sha256,
        "source": done.source.origin,
        "layout": done.layout,
        "layers": len(done.adapter.layers),
        "ranks": list(done.adapter.ranks),
        "dtype": done.dtype,
        "discarded_energy": done.energy.share,
        "readers": {reading.program: reading.taken for reading in readings},
    }


def _description(done: ConvertedLora) -> str:
    """A conversion for people."""
    before, after = (", ".join(map(str, adapter.ranks)) for adapter in (done.source, done.adapter))
    cut = f"rank {after}, cut from {before}: {done.energy.share:.1%} of the energy discarded"
    ranks = f"rank {after}" if before == after else cut
    return f"{done.source.name}: {len(done.adapter.layers):,} layers of {ranks}, in {done.dtype}"
