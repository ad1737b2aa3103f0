"""``lorarar train joint``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import BaseOption, PredictionOption, VaeOption, command
from lorarar.cli.help_pages import help_page
from lorarar.cli.one_lora import find_lessons, train_one
from lorarar.cli.place_flags import PrecisionOption, TrainingDeviceOption
from lorarar.cli.train_flags import DtypeOption, OutOption, SideOption, dtype_of, read_options
from lorarar.families import DEFAULT_BASE
from lorarar.training.place import TrainingPlace
from lorarar.util.outputs import check_output


@help_page(
    'lorarar train joint --content dog --content-prompt "a sks dog" --style oil --style-prompt "a tree in oil style" '
    "-o joint.safetensors",
)
@command
def joint(
    context: typer.Context,
    content: Annotated[Path, typer.Option("--content", help="Pictures of the subject.")],
    content_prompt: Annotated[str, typer.Option("--content-prompt", help='What they show: "a sks dog".')],
    style: Annotated[Path, typer.Option("--style", help="Pictures in the style.")],
    style_prompt: Annotated[
        str, typer.Option("--style-prompt", help='What they show: "a house in watercolor painting style".')
    ],
    out: OutOption,
    base: BaseOption = DEFAULT_BASE,
    vae: VaeOption = None,
    prediction: PredictionOption = None,
    side: SideOption = None,
    device: TrainingDeviceOption = None,
    precision: PrecisionOption = None,
    dtype: DtypeOption = "float16",
) -> None:
    """Train one LoRA on a subject and a style at once (multi-concept DreamBooth, the paper's joint training).

    Both are drawn equally often, however many pictures each has.
    """
    from lorarar.families import find_base
    from lorarar.generation.base_digest import pinned
    from lorarar.training.lora_training import LoraTraining
    from lorarar.training.options import LORA

    options, place = read_options(LORA, context), TrainingPlace(device, precision)
    numbers = dtype_of(dtype)
    check_output(out, ".safetensors")
    training = LoraTraining(
        out=out,
        lessons=find_lessons({"content": (content, content_prompt), "style": (style, style_prompt)}),
        options=options,
        base=pinned(find_base(base, vae=vae, prediction=prediction)),
        provenance={"method": "joint", "content_prompt": content_prompt, "style_prompt": style_prompt},
        side=side,
        dtype=numbers,
    )
    train_one(training, place)
