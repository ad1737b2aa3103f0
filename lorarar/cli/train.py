"""``lorarar train``"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorarar import __version__
from lorarar.cli.console import BaseOption, SeedOption, command, one_of
from lorarar.families import DEFAULT_BASE
from lorarar.util.errors import TrainingError
from lorarar.util.files import training_checkpoint
from lorarar.util.messages import message
from lorarar.util.outputs import check_output

if TYPE_CHECKING:
    from lorarar.lora.adapter import Part
    from lorarar.training.options import LoraOptions

app = typer.Typer(no_args_is_help=True, help="Train LoRAs and hypernetworks.")

OutOption = Annotated[Path, typer.Option("-o", "--out", help="Where the result goes (safetensors).")]
StepsOption = Annotated[int, typer.Option("--steps", help="Training steps.", min=1)]
PrecisionOption = Annotated[
    str | None, typer.Option("--precision", help="Mixed precision: no, fp16 or bf16.", show_default="accelerate's own")
]
SideOption = Annotated[
    int | None, typer.Option("--resolution", help="Pixels a side.", show_default="the base's own", min=8)
]


RankOption = Annotated[int, typer.Option("--rank", help="Rank of the LoRA.", min=1)]
RateOption = Annotated[float, typer.Option("--rate", help="Learning rate.")]
BatchOption = Annotated[int, typer.Option("--batch", help="Pictures a step.", min=1)]
MirroredOption = Annotated[bool, typer.Option("--mirrored", help="Also mirror the pictures.")]


@app.command()
@command
def lora(
    images: Annotated[Path, typer.Argument(help="Folder of pictures of one subject or style, or one picture.")],
    prompt: Annotated[
        str, typer.Option("--prompt", help='What they show: "a sks dog", or "a house in watercolor painting style".')
    ],
    out: OutOption,
    base: BaseOption = DEFAULT_BASE,
    rank: RankOption = 64,
    steps: StepsOption = 1000,
    rate: RateOption = 5e-5,
    batch: BatchOption = 1,
    mirrored: MirroredOption = False,
    side: SideOption = None,
    precision: PrecisionOption = None,
    seed: SeedOption = 0,
) -> None:
    """Train a content or style LoRA (DreamBooth protocol); killed and started again, it goes on.

    Content is named by a rare token, style by its description; pictures and prompt are what the
    hypernetwork is trained on later, so the prompt is kept in the file.
    """
    from lorarar.training.options import LoraOptions

    options = LoraOptions(rank=rank, steps=steps, rate=rate, batch=batch, seed=seed, mirrored=mirrored)
    _train({"lesson": (images, prompt)}, options, out, base, side, precision, {"prompt": prompt})


@app.command()
@command
def joint(
    content: Annotated[Path, typer.Option("--content", help="Pictures of the subject.")],
    content_prompt: Annotated[str, typer.Option("--content-prompt", help='What they show: "a sks dog".')],
    style: Annotated[Path, typer.Option("--style", help="Pictures in the style.")],
    style_prompt: Annotated[
        str, typer.Option("--style-prompt", help='What they show: "a house in watercolor painting style".')
    ],
    out: OutOption,
    base: BaseOption = DEFAULT_BASE,
    rank: RankOption = 64,
    steps: StepsOption = 1000,
    rate: RateOption = 5e-5,
    batch: BatchOption = 1,
    mirrored: MirroredOption = False,
    side: SideOption = None,
    precision: PrecisionOption = None,
    seed: SeedOption = 0,
) -> None:
    """Train one LoRA on a subject and a style at once (multi-concept DreamBooth, the paper's joint training).

    Both are drawn equally often, however many pictures each has.
    """
    from lorarar.training.options import LoraOptions

    options = LoraOptions(rank=rank, steps=steps, rate=rate, batch=batch, seed=seed, mirrored=mirrored)
    provenance = {"method": "joint", "content_prompt": content_prompt, "style_prompt": style_prompt}
    concepts = {"content": (content, content_prompt), "style": (style, style_prompt)}
    _train(concepts, options, out, base, side, precision, provenance)


def _train(
    concepts: Mapping[str, tuple[Path, str]],
    options: LoraOptions,
    out: Path,
    base: str,
    side: int | None,
    precision: str | None,
    provenance: Mapping[str, object],
) -> None:
    """Train a LoRA on concepts, folders of pictures with their prompts, and write it with what made it."""
    from dataclasses import asdict

    from lorarar.families import find_base
    from lorarar.generation.base_digest import pinned
    from lorarar.lora.files import write_adapter
    from lorarar.pictures.images import find_images
    from lorarar.training.lora import Lesson, train_lora
    from lorarar.training.makings import lesson_facts, recorded_facts, training_makings
    from lorarar.training.setup import accelerator_for, load_for_training, native_side

    checkpoint, model = checkpoint_of(out), pinned(find_base(base))
    references = {name: (find_images(folder), prompt) for name, (folder, prompt) in concepts.items()}
    accelerator = accelerator_for(precision)
    inputs = {name: lesson_facts(*reference) for name, reference in references.items()}
    makings = training_makings(inputs, options, model, accelerator, side)
    pipeline = load_for_training(model, accelerator)
    side = side or native_side(pipeline)
    lessons = [Lesson.read(files, prompt, side) for files, prompt in references.values()]
    adapter = train_lora(
        pipeline,
        lessons,
        options,
        checkpoint=checkpoint,
        makings=makings,
        accelerator=accelerator,
        title=out.stem,
    )
    if accelerator.is_main_process:
        source = {"base": model.name, "revision": model.revision, "version": __version__, "training": makings}
        source["recorded"] = recorded_facts(accelerator)
        write_adapter(adapter, out, {**provenance, **source, **asdict(options)})
        checkpoint.unlink(missing_ok=True)
        print(out)


@app.command()
@command
def hypernet(
    contents: Annotated[Path, typer.Option("--contents", help="Folder of content LoRAs with their pictures.")],
    styles: Annotated[Path, typer.Option("--styles", help="Folder of style LoRAs with their pictures.")],
    out: OutOption,
    base: BaseOption = DEFAULT_BASE,
    steps: StepsOption = 5000,
    rate: Annotated[float, typer.Option("--rate", help="Learning rate.")] = 0.01,
    strength: Annotated[float, typer.Option("--lambda", help="Weight of the regulariser in Eq. 3.")] = 0.01,
    fidelity: Annotated[str, typer.Option("--loss", help="Fidelity terms: l2 (paper) or mse (authors' code).")] = "l2",
    regulariser: Annotated[str, typer.Option("--regulariser", help="dot (paper) or cosine (authors' code).")] = "dot",
    key_value: Annotated[
        str, typer.Option("--key-value", help="Parts not predicted: mean (paper) or sum (authors' code).")
    ] = "mean",
    parts: Annotated[
        str, typer.Option("--parts", help="Parts predicted: any of query,key,value,output.", metavar="PARTS")
    ] = "query,output",
    hidden: Annotated[int, typer.Option("--hidden", help="Width of the hidden layer.", min=1)] = 128,
    batch: Annotated[int, typer.Option("--batch", help="Noisy latents of each side a step.", min=1)] = 1,
    side: SideOption = None,
    precision: PrecisionOption = None,
    seed: SeedOption = 0,
) -> None:
    """Train a hypernetwork on all pairs of contents and styles (Algorithm 1); it goes on where it stopped.

    Each folder holds NAME.safetensors beside a folder NAME of its pictures, for each LoRA.
    """
    from dataclasses import asdict
    from typing import cast, get_args

    from lorarar.families import find_base
    from lorarar.generation.base_digest import pinned
    from lorarar.lora.folders import find_loras
    from lorarar.merging.hypernet import KeyValue
    from lorarar.merging.hypernet_file import write_hypernet
    from lorarar.pictures.concepts import read_concepts
    from lorarar.training.hypernet import train_hypernet
    from lorarar.training.makings import concept_facts, recorded_facts, training_makings
    from lorarar.training.merging_loss import FIDELITIES, REGULARISERS
    from lorarar.training.options import Fidelity, HypernetOptions, Regulariser
    from lorarar.training.setup import accelerator_for, load_for_training, native_side

    checkpoint = checkpoint_of(out, *find_loras(contents), *find_loras(styles))
    for flag, value, accepted in (
        ("--loss", fidelity, FIDELITIES),
        ("--regulariser", regulariser, REGULARISERS),
        ("--key-value", key_value, get_args(KeyValue)),
    ):
        one_of(flag, value, tuple(accepted), TrainingError)
    options = HypernetOptions(
        hidden=hidden,
        parts=parse_parts(parts),
        key_value=cast("KeyValue", key_value),
        fidelity=cast("Fidelity", fidelity),
        regulariser=cast("Regulariser", regulariser),
        strength=strength,
        steps=steps,
        rate=rate,
        batch=batch,
        seed=seed,
    )
    of_content, of_style, model = read_concepts(contents), read_concepts(styles), pinned(find_base(base))
    accelerator = accelerator_for(precision)
    sides = {"contents": of_content, "styles": of_style}
    inputs = {name: list(map(concept_facts, concepts)) for name, concepts in sides.items()}
    makings = training_makings(inputs, options, model, accelerator, side)
    pipeline = load_for_training(model, accelerator)
    network = train_hypernet(
        pipeline,
        of_content,
        of_style,
        options,
        checkpoint=checkpoint,
        makings=makings,
        accelerator=accelerator,
        side=side or native_side(pipeline),
    )
    if accelerator.is_main_process:
        source = {"base": model.name, "revision": model.revision, "version": __version__, "training": makings}
        source["recorded"] = recorded_facts(accelerator)
        write_hypernet(network, out, asdict(options) | source)
        checkpoint.unlink(missing_ok=True)
        message(f"trained on {len(of_content)} contents x {len(of_style)} styles")
        print(out)


def parse_parts(text: str) -> tuple[Part, ...]:
    """``"query,output"`` as parts of attention, each once, in the order query, key, value, output.

    Raises:
        TrainingError: an unknown part, or none.
    """
    from lorarar.lora.adapter import ATTENTION

    names = [name.strip() for name in text.split(",")]
    parts = tuple(part for part in ATTENTION if part in names)
    if set(names) - set(ATTENTION) or not parts:
        raise TrainingError(f"--parts is {text!r}; accepted is a list of {', '.join(ATTENTION)}")
    return parts


def checkpoint_of(out: Path, *inputs: Path) -> Path:
    """The checkpoint of a training whose result is ``out``.

    Raises:
        OutputError: the result cannot go there: its name does not end in .safetensors, or it is one of the inputs.
    """
    return training_checkpoint(check_output(out, ".safetensors", inputs=inputs))
