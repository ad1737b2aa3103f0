"""Flags that say how pictures are generated, for every command that generates some."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any

import typer

from lorarar.generation.noise import parse_noise_cell
from lorarar.generation.offload import Offload
from lorarar.generation.picture_size import parse_size
from lorarar.generation.schedulers import check_scheduler
from lorarar.lora.strength_text import file_and_strength
from lorarar.util.dtype import Dtype

OWN = "the base's own"


def checked_by(check: Callable[[str], Any]) -> Callable[[Any], Any]:
    """A callback that passes on a text, or each of several, and makes the ValueError of a check a usage error."""

    def callback(value: str | list[str] | None) -> Any:
        try:
            for text in [value] if isinstance(value, str) else value or []:
                check(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
        return value

    return callback


def check_words(text: str) -> None:
    """Refuse a prompt whose bytes are no text.

    Raises:
        ValueError: it is in another encoding than UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("it is no text in UTF-8, as the encoders take it") from None


def finite(value: float | None) -> float | None:
    """A number of a command line, a usage error where it is infinite or none at all."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no finite number")
    return value


LorasOption = Annotated[
    list[str] | None,
    typer.Option(
        "--lora",
        help="LoRA to generate with, and how much of it; may be given several times.",
        metavar="FILE[:STRENGTH]",
        callback=checked_by(file_and_strength),
    ),
]
PromptOption = Annotated[
    str, typer.Option("--prompt", help="What to generate, of any length.", callback=checked_by(check_words))
]
NegativeOption = Annotated[
    str,
    typer.Option(
        "--negative", help="What the pictures should not show.", show_default=False, callback=checked_by(check_words)
    ),
]
SizeOption = Annotated[
    str | None,
    typer.Option("--size", help="Pixels.", metavar="WIDTHxHEIGHT", show_default=OWN, callback=checked_by(parse_size)),
]
StepsOption = Annotated[int | None, typer.Option("--steps", help="Denoising steps.", show_default=OWN, min=1, max=1000)]
GuidanceOption = Annotated[
    float | None,
    typer.Option(
        "--guidance",
        help="Classifier-free guidance; of FLUX.1 what it is told of guidance.",
        show_default=OWN,
        min=0,
        callback=finite,
    ),
]
SchedulerOption = Annotated[
    str | None,
    typer.Option(
        "--scheduler",
        help="One of diffusers' by name, like EulerDiscreteScheduler.",
        metavar="NAME",
        show_default=OWN,
        callback=checked_by(check_scheduler),
    ),
]
NoiseOption = Annotated[
    str | None,
    typer.Option(
        "--noise-of",
        help="Begin with the noise of this cell of a grid, a demo or a blend.",
        metavar="CONTENT,STYLE",
        show_default="each seed's own",
        callback=checked_by(parse_noise_cell),
    ),
]
BatchOption = Annotated[int, typer.Option("--batch", help="Pictures at once.", min=1)]
DtypeOption = Annotated[
    Dtype | None, typer.Option("--dtype", help="Numbers of the base.", show_default="float16 on CUDA, else float32")
]
OFFLOAD = typer.Option("--offload", help="Keep models, or single layers, off the GPU while they are not needed.")
OffloadOption = Annotated[Offload, OFFLOAD]
