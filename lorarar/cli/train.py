"""``lorarar train``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar import __version__
from lorarar.cli.console import BaseOption, SeedOption, command, talk
from lorarar.errors import TrainingError

app = typer.Typer(no_args_is_help=True, help="Train LoRAs and hypernetworks.")

OutOption = Annotated[Path, typer.Option("-o", "--out", help="Where the result goes (safetensors).")]
StepsOption = Annotated[int, typer.Option("--steps", help="Training steps.", min=1)]
PrecisionOption = Annotated[
    str | None, typer.Option("--precision", help="Mixed precision: no, fp16 or bf16.", show_default="accelerate's own")
]
SideOption = Annotated[
    int | None, typer.Option("--resolution", help="Pixels a side.", show_default="the base's own", min=8)
]


@app.command()
@command
def lora(
    images: Annotated[Path, typer.Argument(help="Folder of pictures of one subject or style, or one picture.")],
    prompt: Annotated[
        str, typer.Option("--prompt", help='What they show: "a sks dog", or "a house in watercolor painting style".')
    ],
    out: OutOption,
    base: BaseOption = "pocket",
    rank: Annotated[int, typer.Option("--rank", help="Rank of the LoRA.", min=1)] = 64,
    steps: StepsOption = 1000,
    rate: Annotated[float, typer.Option("--rate", help="Learning rate.")] = 5e-5,
    batch: Annotated[int, typer.Option("--batch", help="Pictures a step.", min=1)] = 1,
    mirrored: Annotated[bool, typer.Option("--mirrored", help="Also mirror the pictures.")] = False,
    side: SideOption = None,
    precision: PrecisionOption = None,
    seed: SeedOption = 0,
) -> None:
    """Train a content or style LoRA (DreamBooth protocol); killed and started again, it goes on.

    Content is named by a rare token, style by its description; pictures and prompt are what the
    hypernetwork is trained on later, so the prompt is kept in the file.
    """
    from dataclasses import asdict

    from lorarar.adapter_file import write_adapter
    from lorarar.bases import find_base
    from lorarar.images import find_images
    from lorarar.training.lora import LoraOptions, train_lora
    from lorarar.training.setup import accelerator_for, load_for_training, native_side

    options = LoraOptions(rank, steps, rate, batch, seed, mirrored)
    checkpoint, place, files = checkpoint_of(out), find_base(base), find_images(images)
    accelerator = accelerator_for(precision)
    pipeline = load_for_training(place, accelerator)
    adapter = train_lora(
        pipeline,
        files,
        prompt,
        options,
        checkpoint=checkpoint,
        accelerator=accelerator,
        side=side or native_side(pipeline),
        title=out.stem,
    )
    if accelerator.is_main_process:
        made = {"prompt": prompt, "base": place.name, "revision": place.revision, "version": __version__}
        write_adapter(adapter, out, made | asdict(options))
        checkpoint.unlink(missing_ok=True)
        print(out)


@app.command()
@command
def hypernet(
    contents: Annotated[Path, typer.Option("--contents", help="Folder of content LoRAs with their pictures.")],
    styles: Annotated[Path, typer.Option("--styles", help="Folder of style LoRAs with their pictures.")],
    out: OutOption,
    base: BaseOption = "pocket",
    steps: StepsOption = 5000,
    rate: Annotated[float, typer.Option("--rate", help="Learning rate.")] = 0.01,
    strength: Annotated[float, typer.Option("--lambda", help="Weight of the regulariser in Eq. 3.")] = 0.01,
    fidelity: Annotated[str, typer.Option("--loss", help="Fidelity terms: l2 (paper) or mse (authors' code).")] = "l2",
    regulariser: Annotated[str, typer.Option("--regulariser", help="dot (paper) or cosine (authors' code).")] = "dot",
    key_value: Annotated[
        str, typer.Option("--key-value", help="Keys and values: mean (paper) or sum (authors' code).")
    ] = "mean",
    batch: Annotated[int, typer.Option("--batch", help="Noisy latents of each side a step.", min=1)] = 1,
    side: SideOption = None,
    precision: PrecisionOption = None,
    seed: SeedOption = 0,
) -> None:
    """Train a hypernetwork on all pairs of contents and styles (Algorithm 1); it goes on where it stopped.

    Each folder holds NAME.safetensors beside a folder NAME of its pictures, for each LoRA.
    """
    from dataclasses import asdict
    from typing import cast

    from lorarar.bases import find_base
    from lorarar.concepts import read_concepts
    from lorarar.hypernet_file import write_hypernet
    from lorarar.training.hypernet import (
        FIDELITIES,
        REGULARISERS,
        Fidelity,
        HypernetOptions,
        Regulariser,
        train_hypernet,
    )
    from lorarar.training.setup import accelerator_for, load_for_training, native_side

    for flag, value, known in (
        ("--loss", fidelity, FIDELITIES),
        ("--regulariser", regulariser, REGULARISERS),
        ("--key-value", key_value, ("mean", "sum")),
    ):
        if value not in known:
            raise TrainingError(f"{flag} is {value!r}; accepted are {', '.join(known)}")
    options = HypernetOptions(
        key_value="mean" if key_value == "mean" else "sum",
        fidelity=cast("Fidelity", fidelity),
        regulariser=cast("Regulariser", regulariser),
        strength=strength,
        steps=steps,
        rate=rate,
        batch=batch,
        seed=seed,
    )
    of_content, of_style, place = read_concepts(contents), read_concepts(styles), find_base(base)
    checkpoint, accelerator = checkpoint_of(out), accelerator_for(precision)
    pipeline = load_for_training(place, accelerator)
    network = train_hypernet(
        pipeline,
        of_content,
        of_style,
        options,
        checkpoint=checkpoint,
        accelerator=accelerator,
        side=side or native_side(pipeline),
    )
    if accelerator.is_main_process:
        write_hypernet(
            network, out, asdict(options) | {"base": place.name, "revision": place.revision, "version": __version__}
        )
        checkpoint.unlink(missing_ok=True)
        talk().print(f"trained on {len(of_content)} contents x {len(of_style)} styles")
        print(out)


def checkpoint_of(out: Path) -> Path:
    """Where a training keeps its state until it is done: beside its result."""
    if out.suffix != ".safetensors":
        raise TrainingError(f"-o is {out}; accepted is a name ending in .safetensors")
    return out.with_suffix(".checkpoint.pt")
