"""``lorarar train hypernet``"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from lorarar.cli.console import BaseOption, PredictionOption, VaeOption, command, print_path
from lorarar.cli.flags import Flag
from lorarar.cli.place_flags import PrecisionOption, TrainingDeviceOption
from lorarar.cli.train_flags import OutOption, SideOption, checkpoint_of, read_options
from lorarar.families import DEFAULT_BASE
from lorarar.pictures.concept_table import Side, Split, tables_in_words
from lorarar.training.place import TrainingPlace
from lorarar.util.messages import message

if TYPE_CHECKING:
    from PIL.Image import Image

    from lorarar.families import Base
    from lorarar.merging.hypernet import Hypernetwork
    from lorarar.pictures.concept_choice import Names
    from lorarar.pictures.concepts import Concept
    from lorarar.training.truth_batches import Truth


def hypernet_flags() -> list[Flag]:
    """The flags of a hypernetwork's training."""
    from lorarar.training.options import HYPERNET

    return list(map(Flag, HYPERNET.options.values()))


@command
def hypernet(
    context: typer.Context,
    contents: Annotated[Path, typer.Option("--contents", help="Folder of content LoRAs with their pictures.")],
    styles: Annotated[Path, typer.Option("--styles", help="Folder of style LoRAs with their pictures.")],
    out: OutOption,
    names: Annotated[
        str | None,
        typer.Option(
            "--names",
            help="These alone: dog-1,glowing of either folder, or those of a table: a TOML file, or "
            f"{tables_in_words()}.",
            metavar="NAME,NAME|TABLE",
            show_default="all",
        ),
    ] = None,
    split: Annotated[Split | None, typer.Option("--split", help="Of a table.", show_default="train")] = None,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out those of a table that have no LoRA, instead of stopping.")
    ] = False,
    base: BaseOption = DEFAULT_BASE,
    vae: VaeOption = None,
    prediction: PredictionOption = None,
    side: SideOption = None,
    device: TrainingDeviceOption = None,
    precision: PrecisionOption = None,
    keep_every: Annotated[
        int | None,
        typer.Option(
            "--keep-every", help="Keep a network after so many steps each time, in NAME.steps.", min=1, metavar="N"
        ),
    ] = None,
) -> None:
    """Train a hypernetwork on all pairs of contents and styles (Algorithm 1); it goes on where it stopped.

    Each folder holds NAME.safetensors beside a folder NAME of its pictures, for each LoRA.

    --names paper takes those of the paper's split to train on, and leaves the others unseen.
    """
    from lorarar.families import find_base
    from lorarar.generation.base_digest import pinned
    from lorarar.lora.folders import find_loras
    from lorarar.merging.hypernet_file import write_hypernet
    from lorarar.pictures.concept_choice import choose
    from lorarar.training.hypernet import Keeping, train_hypernet
    from lorarar.training.makings import concept_facts, made_by, training_makings
    from lorarar.training.optimisers import check_optimiser
    from lorarar.training.options import HYPERNET, options_facts
    from lorarar.training.out_of_memory import memory_in_one_line
    from lorarar.training.setup import load_for_training, native_side

    checkpoint = checkpoint_of(out, *find_loras(contents), *find_loras(styles))
    options = read_options(HYPERNET, context)
    model = pinned(find_base(base, vae=vae, prediction=prediction))
    folders: dict[Side, Path] = {"contents": contents, "styles": styles}
    concepts = _read_concepts(folders, choose(folders, names, split, skip_missing), model)
    accelerator = TrainingPlace(device, precision).accelerator()
    check_optimiser(options.optimiser, accelerator.device)
    inputs: dict[str, object] = {of: list(map(concept_facts, group)) for of, group in concepts.items()}
    makings = training_makings(inputs, options, model, accelerator, side)
    header = options_facts(options) | made_by(makings, model, accelerator)

    def keep(step: int, network: Hypernetwork) -> None:
        write_hypernet(network, out.with_suffix(".steps") / f"step-{step:04}.safetensors", header | {"steps": step})

    with memory_in_one_line(options, accelerator):
        pipeline = load_for_training(model, accelerator)
        network = train_hypernet(
            pipeline,
            concepts["contents"],
            concepts["styles"],
            options,
            checkpoint=checkpoint,
            makings=makings,
            accelerator=accelerator,
            side=side or native_side(pipeline),
            truth=_truth_of(model) if options.objective == "truth" else None,
            keep=Keeping(keep_every, keep) if keep_every else None,
        )
    if accelerator.is_main_process:
        write_hypernet(network, out, header)
        checkpoint.unlink(missing_ok=True)
        message("trained on " + " x ".join(f"{len(group)} {of}" for of, group in concepts.items()))
        print_path(out)


def _read_concepts(folders: Mapping[Side, Path], chosen: Names, base: Base) -> dict[Side, list[Concept]]:
    """The contents and styles that are trained on; what lies beside their pictures and is left out is said.

    Raises:
        AdapterError, ImageError: one cannot be read, or does not fit the base.
    """
    from lorarar.lora.fit import check_fit
    from lorarar.pictures.concepts import read_concepts
    from lorarar.pictures.folders import left_out_beside

    concepts = {of: read_concepts(folder, chosen.get(of), base=base) for of, folder in folders.items()}
    for concept in chain(*concepts.values()):
        check_fit(concept.adapter, base)
    if rest := left_out_beside(concept.images for concept in chain(*concepts.values())):
        message(rest)
    return concepts


def _truth_of(base: Base) -> Truth | None:
    """The true pictures that the base's family knows: by LoRAs' files where it can tell by these, else by names."""
    from lorarar.families import family_of

    family = family_of(base)
    if "ground_truth" not in family.parts:
        return None
    truth = family.find("ground_truth")
    by_files = getattr(truth, "true_picture_of_files", None)

    def picture(content: Concept, style: Concept) -> Image | None:
        with family.guarded("ground_truth"):
            if by_files:
                return cast("Image | None", by_files(content.path, style.path))
            return cast("Image | None", truth.true_picture_of(content.name, style.name))

    return picture
