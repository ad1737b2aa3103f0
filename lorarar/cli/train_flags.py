"""Flags that the commands of ``lorarar train`` share, and what is read of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar, cast, get_args

import typer

from lorarar.cli.console import one_of
from lorarar.cli.flags import Flag, given_options
from lorarar.pictures.concept_table import Split, tables_in_words
from lorarar.util.dtype import Dtype
from lorarar.util.errors import UsageError
from lorarar.util.files import training_checkpoint
from lorarar.util.options import OptionError
from lorarar.util.outputs import check_output

if TYPE_CHECKING:
    from lorarar.training.options import Training

Values = TypeVar("Values")

OutOption = Annotated[Path, typer.Option("-o", "--out", help="Where the result goes (safetensors).")]
SideOption = Annotated[
    int | None, typer.Option("--resolution", help="Pixels a side.", show_default="the base's own", min=8)
]

NamesOption = Annotated[
    str | None,
    typer.Option(
        "--names",
        help=f"These alone: dog-1,glowing of either folder, or those of a table: a TOML file, or {tables_in_words()}.",
        metavar="NAME,NAME|TABLE",
        show_default="all",
    ),
]
SplitOption = Annotated[Split | None, typer.Option("--split", help="Of a table.", show_default="train")]
SkipMissingOption = Annotated[
    bool, typer.Option("--skip-missing", help="Leave out those of a table that have no LoRA, instead of stopping.")
]

DtypeOption = Annotated[str, typer.Option("--dtype", help="Of the numbers in the file: float16, float32 or bfloat16.")]

SampleEveryOption = Annotated[
    int | None,
    typer.Option(
        "--sample-every", help="Draw a picture after so many steps each time, into NAME.samples.", min=1, metavar="N"
    ),
]
SamplePromptOption = Annotated[
    str | None,
    typer.Option("--sample-prompt", help="What is drawn; {prompt} in it is the prompt.", show_default="the prompt"),
]


def lora_flags() -> list[Flag]:
    """The flags of a LoRA's training."""
    from lorarar.training.options import LORA

    return list(map(Flag, LORA.options.values()))


def read_options(training: Training[Values], context: typer.Context) -> Values:
    """The options of a training, as they were given on the command line.

    Raises:
        UsageError: one is not accepted.
    """
    try:
        return training.read("the training", given_options(context))
    except OptionError as error:
        raise UsageError(str(error)) from None


def dtype_of(value: str) -> Dtype:
    """The numbers that a LoRA is written in.

    Raises:
        UsageError: they are none of those.
    """
    return cast("Dtype", one_of("--dtype", value, get_args(Dtype), UsageError))


def check_samples(every: int | None, prompt: str | None) -> None:
    """Refuse a prompt for pictures that nobody draws.

    Raises:
        UsageError: it is given alone.
    """
    if prompt is not None and every is None:
        raise UsageError("--sample-prompt is of pictures that --sample-every N draws; give both")


def checkpoint_of(out: Path, *inputs: Path) -> Path:
    """The checkpoint of a training whose result is ``out``.

    Raises:
        OutputError: the result cannot go there: its name does not end in .safetensors, or it is one of the inputs.
    """
    return training_checkpoint(check_output(out, ".safetensors", inputs=inputs))
