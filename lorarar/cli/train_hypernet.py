"""``lorarar train hypernet``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lorarar.cli.console import BaseOption, DbOption, PredictionOption, VaeOption, command, print_path
from lorarar.cli.flags import Flag
from lorarar.cli.help_pages import help_page
from lorarar.cli.hypernet_sources import FolderSource, JudgedSource, hypernet_source
from lorarar.cli.judged_flags import AcceptedOption, CriticOption, JudgeOption, PromptsOption
from lorarar.cli.place_flags import PrecisionOption, TrainingDeviceOption
from lorarar.cli.train_flags import (
    NamesOption,
    OutOption,
    SideOption,
    SkipMissingOption,
    SplitOption,
    checkpoint_of,
    read_options,
)
from lorarar.families import DEFAULT_BASE
from lorarar.training.place import TrainingPlace
from lorarar.util.errors import UsageError
from lorarar.util.messages import message

if TYPE_CHECKING:
    from lorarar.merging.head import Head


def hypernet_flags() -> list[Flag]:
    """The flags of a hypernetwork's training."""
    from lorarar.training.options import HYPERNET

    return list(map(Flag, HYPERNET.options.values()))


@help_page("lorarar train hypernet --contents loras/contents --styles loras/styles -o hypernet.safetensors")
@command
def hypernet(
    context: typer.Context,
    out: OutOption,
    contents: Annotated[
        Path | None,
        typer.Option("--contents", help="Folder of content LoRAs with their pictures; not with --accepted."),
    ] = None,
    styles: Annotated[
        Path | None, typer.Option("--styles", help="Folder of style LoRAs with their pictures; not with --accepted.")
    ] = None,
    names: NamesOption = None,
    split: SplitOption = None,
    skip_missing: SkipMissingOption = False,
    accepted: AcceptedOption = None,
    critic: CriticOption = None,
    prompts: PromptsOption = None,
    judge: JudgeOption = None,
    db: DbOption = None,
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

    Each folder holds NAME.safetensors beside a folder NAME of its pictures, for each LoRA. With --objective accepted
    there are no folders: pictures, LoRAs and pairs are those of the judged plan.

    --names paper takes those of the paper's split to train on, and leaves the others unseen.
    """
    from lorarar.families import find_base
    from lorarar.generation.base_digest import pinned
    from lorarar.merging.hypernet_file import write_hypernet
    from lorarar.merging.means import KEPT_PAIRS, take_means
    from lorarar.pictures.held_out import held_out_among
    from lorarar.pictures.true_pictures import truth_of
    from lorarar.training.balance_training import train_balance
    from lorarar.training.hypernet import Keeping, train_hypernet
    from lorarar.training.makings import made_by, training_makings
    from lorarar.training.optimisers import check_optimiser
    from lorarar.training.options import HYPERNET, options_facts
    from lorarar.training.out_of_memory import memory_in_one_line
    from lorarar.training.setup import load_for_training, native_side

    options = read_options(HYPERNET, context)
    source = hypernet_source(
        options.objective,
        FolderSource(contents, styles, names, split, skip_missing),
        JudgedSource(tuple(accepted or ()), tuple(critic or ()), prompts, tuple(judge or ()), db, options.head),
    )
    if keep_every and options.objective == "accepted" and options.head == "balance":
        raise UsageError("--keep-every is for trainings by a UNet; a balance is chosen on LoRAs that are held out")
    checkpoint = checkpoint_of(out, *source.files)
    model = pinned(find_base(base, vae=vae, prediction=prediction))
    lessons = source.read(model)
    for line in held_out_among(lessons.names):
        message(line, "yellow")
    accelerator = TrainingPlace(device, precision).accelerator()
    check_optimiser(options.optimiser, accelerator.device)
    makings = training_makings(lessons.facts, options, model, accelerator, side)
    header = options_facts(options) | lessons.record | made_by(makings, model, accelerator)

    of_content, of_style = ([one.adapter for one in group] for group in (lessons.contents, lessons.styles))

    def keep(step: int, network: Head) -> None:
        means = take_means(network, of_content, of_style, KEPT_PAIRS)
        file = out.with_suffix(".steps") / f"step-{step:04}.safetensors"
        write_hypernet(network, file, header | {"steps": step}, means)

    place: dict[str, Any] = {"checkpoint": checkpoint, "makings": makings, "accelerator": accelerator}
    network: Head
    with memory_in_one_line(options, accelerator):
        if lessons.balances is not None:
            balance = train_balance(lessons.balances, options, **place)
            network, header = balance.head, header | {"balance": balance.record}
            message(balance.line)
        else:
            pipeline = load_for_training(model, accelerator)
            network = train_hypernet(
                pipeline,
                lessons.contents,
                lessons.styles,
                options,
                side=side or native_side(pipeline),
                truth=truth_of(model) if options.objective == "truth" else None,
                accepted=lessons.accepted,
                keep=Keeping(keep_every, keep) if keep_every else None,
                **place,
            )
    if accelerator.is_main_process:
        write_hypernet(network, out, header, take_means(network, of_content, of_style))
        checkpoint.unlink(missing_ok=True)
        message(f"trained on {len(lessons.contents)} contents x {len(lessons.styles)} styles")
        print_path(out)
