"""``lorarar train joint``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import BaseOption, PredictionOption, VaeOption, command
from lorarar.cli.one_lora import train_one
from lorarar.cli.place_flags import PrecisionOption, TrainingDeviceOption
from lorarar.cli.train_flags import OutOption, SideOption, read_options
from lorarar.families import DEFAULT_BASE
from lorarar.training.place import TrainingPlace


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
) -> None:
    """Train one LoRA on a subject and a style at once (multi-concept DreamBooth, the paper's joint training).

    Both are drawn equally often, however many pictures each has.
    """
    from lorarar.families import find_base
    from lorarar.training.options import LORA

    options, model = read_options(LORA, context), find_base(base, vae=vae, prediction=prediction)
    provenance = {"method": "joint", "content_prompt": content_prompt, "style_prompt": style_prompt}
    concepts = {"content": (content, content_prompt), "style": (style, style_prompt)}
    train_one(concepts, options, out, model, side, TrainingPlace(device, precision), provenance)
