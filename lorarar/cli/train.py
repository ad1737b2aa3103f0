"""``lorarar train``"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from lorarar import __version__
from lorarar.cli.console import BaseOption, PredictionOption, VaeOption, command, print_path
from lorarar.cli.flags import Flag, flagged, given_options
from lorarar.families import DEFAULT_BASE
from lorarar.util.errors import UsageError
from lorarar.util.files import training_checkpoint
from lorarar.util.formatting import count
from lorarar.util.messages import message
from lorarar.util.options import OptionError
from lorarar.util.outputs import check_output

if TYPE_CHECKING:
    from lorarar.families import Base
    from lorarar.training.options import LoraOptions, Training

Values = TypeVar("Values")

app = typer.Typer(no_args_is_help=True, help="Train LoRAs and hypernetworks.")

OutOption = Annotated[Path, typer.Option("-o", "--out", help="Where the result goes (safetensors).")]
PrecisionOption = Annotated[
    str | None, typer.Option("--precision", help="Mixed precision: no, fp16 or bf16.", show_default="accelerate's own")
]
SideOption = Annotated[
    int | None, typer.Option("--resolution", help="Pixels a side.", show_default="the base's own", min=8)
]


def lora_flags() -> list[Flag]:
    """The flags of a LoRA's training."""
    from lorarar.training.options import LORA

    return list(map(Flag, LORA.options.values()))


def hypernet_flags() -> list[Flag]:
    """The flags of a hypernetwork's training."""
    from lorarar.training.options import HYPERNET

    return list(map(Flag, HYPERNET.options.values()))


def read_options(training: Training[Values], context: typer.Context) -> Values:
    """The options of a training, as they were given on the command line.

    Raises:
        UsageError: one is not accepted.
    """
    try:
        return training.read("the training", given_options(context))
    except OptionError as error:
        raise UsageError(str(error)) from None


@app.command(cls=flagged(lora_flags))
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
    precision: PrecisionOption = None,
) -> None:
    """Train a content or style LoRA (DreamBooth protocol); killed and started again, it goes on.

    Content is named by a rare token, style by its description; pictures and prompt are what the
    hypernetwork is trained on later, so the prompt is kept in the file.
    """
    from lorarar.families import find_base
    from lorarar.training.options import LORA

    options, model = read_options(LORA, context), find_base(base, vae=vae, prediction=prediction)
    _train({"lesson": (images, prompt)}, options, out, model, side, precision, {"prompt": prompt})


@app.command(cls=flagged(lora_flags))
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
    _train(concepts, options, out, model, side, precision, provenance)


def _train(
    concepts: Mapping[str, tuple[Path, str]],
    options: LoraOptions,
    out: Path,
    base: Base,
    side: int | None,
    precision: str | None,
    provenance: Mapping[str, object],
) -> None:
    """Train a LoRA on concepts, folders of pictures with their prompts, and write it with what made it."""
    from lorarar.generation.base_digest import pinned
    from lorarar.lora.files import write_adapter
    from lorarar.pictures.folders import find_images
    from lorarar.training.lora import Lesson, train_lora
    from lorarar.training.makings import lesson_facts, recorded_facts, training_makings
    from lorarar.training.options import options_facts
    from lorarar.training.setup import accelerator_for, load_for_training, native_side

    checkpoint, model = checkpoint_of(out), pinned(base)
    references = {name: (find_images(folder), prompt) for name, (folder, prompt) in concepts.items()}
    for name, (files, prompt) in references.items():
        _tell_lesson(concepts[name][0], len(files), prompt)
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
        write_adapter(adapter, out, {**provenance, **source, **options_facts(options)})
        checkpoint.unlink(missing_ok=True)
        print_path(out)


def _tell_lesson(folder: Path, pictures: int, prompt: str) -> None:
    """Say what is taken of a folder of pictures, and that its sub-folders and other files are not."""
    from lorarar.pictures.folders import look_into

    inside = look_into(folder) if folder.is_dir() else None
    beside = f" without its {count(len(inside.folders), 'sub-folder')}" if inside and inside.folders else ""
    rest = f"; {inside.left_out}" if inside and inside.others else ""
    message(f"{count(pictures, 'picture')} of {folder}{beside}: {prompt!r}{rest}")


@app.command(cls=flagged(hypernet_flags))
@command
def hypernet(
    context: typer.Context,
    contents: Annotated[Path, typer.Option("--contents", help="Folder of content LoRAs with their pictures.")],
    styles: Annotated[Path, typer.Option("--styles", help="Folder of style LoRAs with their pictures.")],
    out: OutOption,
    base: BaseOption = DEFAULT_BASE,
    vae: VaeOption = None,
    prediction: PredictionOption = None,
    side: SideOption = None,
    precision: PrecisionOption = None,
) -> None:
    """Train a hypernetwork on all pairs of contents and styles (Algorithm 1); it goes on where it stopped.

    Each folder holds NAME.safetensors beside a folder NAME of its pictures, for each LoRA.
    """
    from lorarar.families import find_base
    from lorarar.generation.base_digest import pinned
    from lorarar.lora.fit import check_fit
    from lorarar.lora.folders import find_loras
    from lorarar.merging.hypernet_file import write_hypernet
    from lorarar.pictures.concepts import read_concepts
    from lorarar.pictures.folders import left_out_beside
    from lorarar.training.hypernet import train_hypernet
    from lorarar.training.makings import concept_facts, recorded_facts, training_makings
    from lorarar.training.options import HYPERNET, options_facts
    from lorarar.training.setup import accelerator_for, load_for_training, native_side

    checkpoint = checkpoint_of(out, *find_loras(contents), *find_loras(styles))
    options = read_options(HYPERNET, context)
    model = pinned(find_base(base, vae=vae, prediction=prediction))
    of_content, of_style = (read_concepts(folder, base=model) for folder in (contents, styles))
    for concept in (*of_content, *of_style):
        check_fit(concept.adapter, model)
    if rest := left_out_beside(concept.images for concept in (*of_content, *of_style)):
        message(rest)
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
        write_hypernet(network, out, options_facts(options) | source)
        checkpoint.unlink(missing_ok=True)
        message(f"trained on {len(of_content)} contents x {len(of_style)} styles")
        print_path(out)


def checkpoint_of(out: Path, *inputs: Path) -> Path:
    """The checkpoint of a training whose result is ``out``.

    Raises:
        OutputError: the result cannot go there: its name does not end in .safetensors, or it is one of the inputs.
    """
    return training_checkpoint(check_output(out, ".safetensors", inputs=inputs))
