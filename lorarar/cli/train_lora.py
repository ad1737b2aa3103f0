"""``lorarar train lora``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import BaseOption, PredictionOption, VaeOption, command
from lorarar.cli.help_pages import help_page
from lorarar.cli.one_lora import find_lessons, train_one
from lorarar.cli.place_flags import PrecisionOption, TrainingDeviceOption
from lorarar.cli.train_flags import (
    DtypeOption,
    OutOption,
    SampleEveryOption,
    SamplePromptOption,
    SideOption,
    check_samples,
    dtype_of,
    read_options,
)
from lorarar.families import DEFAULT_BASE
from lorarar.training.place import TrainingPlace
from lorarar.util.outputs import check_output


@help_page('lorarar train lora photos/dog --prompt "a sks dog" -o dog.safetensors')
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
    dtype: DtypeOption = "float16",
    sample_every: SampleEveryOption = None,
    sample_prompt: SamplePromptOption = None,
) -> None:
    """Train a content or style LoRA (DreamBooth protocol); killed and started again, it goes on.

    Content is named by a rare token, style by its description; pictures and prompt are what the
    hypernetwork is trained on later, so the prompt is kept in the file.
    """
    from lorarar.families import find_base
    from lorarar.generation.base_digest import pinned
    from lorarar.training.lora_training import LESSON, LoraTraining
    from lorarar.training.options import LORA

    options, place = read_options(LORA, context), TrainingPlace(device, precision)
    numbers = dtype_of(dtype)
    check_samples(sample_every, sample_prompt)
    check_output(out, ".safetensors")
    training = LoraTraining(
        out=out,
        lessons=find_lessons({LESSON: (images, prompt)}),
        options=options,
        base=pinned(find_base(base, vae=vae, prediction=prediction)),
        provenance={"prompt": prompt},
        side=side,
        dtype=numbers,
        sample_every=sample_every,
        sample_prompt=sample_prompt,
    )
    train_one(training, place)
