"""``lorarar train lora``"""

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
def lora(
    context: typer.Context,
    images: Annotated[Path, typer.Argument(help="Folder of pictures of one subject or style, or one picture.")],
    prompt: Annotated[
        str, typer.Option("--prompt", help='What they show: "a sks dog", or "a house in watercolor painting style".')
    ],
    out: OutOption,
    base: BaseOption = DEFAULT_BASE,
    vae: VaeOption = None,
    prediction: PredictionOption = None,
    side: SideOption = None,
    device: TrainingDeviceOption = None,
    precision: PrecisionOption = None,
) -> None:
    """Train a content or style LoRA (DreamBooth protocol); killed and started again, it goes on.

    Content is named by a rare token, style by its description; pictures and prompt are what the
    hypernetwork is trained on later, so the prompt is kept in the file.
    """
    from lorarar.families import find_base
    from lorarar.training.options import LORA

    options, model = read_options(LORA, context), find_base(base, vae=vae, prediction=prediction)
    train_one(
        {"lesson": (images, prompt)}, options, out, model, side, TrainingPlace(device, precision), {"prompt": prompt}
    )
