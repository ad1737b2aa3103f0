"""Pocket's recipe: the stages in order, and how they are run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lorarar.pocket.build_context import BuildContext
from lorarar.pocket.stage import Stage
from lorarar.util.errors import PocketError
from lorarar.util.suggestion import did_you_mean

_IN = "lorarar.pocket.stages"

STAGES = (
    Stage.at("art", "drawings from npm, designs and reference pictures", f"{_IN}.art:run_art"),
    Stage.at("pictures", "the base's training pictures", f"{_IN}.pictures:run_pictures"),
    Stage.at("vae", "the autoencoder", f"{_IN}.vae:run_vae"),
    Stage.at("base", "UNet and text encoders", f"{_IN}.base:run_base"),
    Stage.at("probe", "a classifier on true pictures, and what it says of generated ones", f"{_IN}.probe:run_probe"),
    Stage.at("loras", "a LoRA for each subject and style", f"{_IN}.loras:run_loras"),
    Stage.at("hypernet", "the hypernetwork, on the training pairs alone", f"{_IN}.hypernet:run_hypernet"),
    Stage.at("report", "how well LoRAs draw their own designs and looks", f"{_IN}.report:run_report"),
    Stage.at("grid", "the test grid by every method, measured, and the README's sheet", f"{_IN}.grid:run_grid"),
)


def select_stages(names: Sequence[str], stages: Sequence[Stage]) -> list[Stage]:
    """The stages of these names in the recipe's order; without names, all of them.

    Raises:
        PocketError: an unknown name; the message lists all.
    """
    by_name = {stage.name: stage for stage in stages}
    for name in names:
        if name not in by_name:
            near = did_you_mean(name, by_name)
            raise PocketError(f"unknown stage {name!r}; the stages are {', '.join(by_name)}{near}")
    return [stage for stage in stages if not names or stage.name in names]


def run_stages(
    names: Sequence[str], context: BuildContext, *, stages: Sequence[Stage], announce: Callable[[Stage], None]
) -> None:
    """Run the stages of these names; without names, all that this build has not finished yet.

    Args:
        names: of stages to run, finished or not.
        context: the build.
        stages: the recipe.
        announce: is told each stage before it runs.

    Raises:
        PocketError: an unknown name, or a stage lacks what an earlier one makes.
    """
    selected = select_stages(names, stages)
    context.folder.mkdir(parents=True, exist_ok=True)
    for stage in selected:
        mark = context.folder / f"{stage.name}.finished"
        if mark.exists() and not names:
            continue
        announce(stage)
        try:
            stage.run(context)
        except FileNotFoundError as error:
            missing = error.filename or error
            raise PocketError(f"stage {stage.name} lacks {missing}; run the stages before it first") from None
        context.checkpoint(stage.name).unlink(missing_ok=True)
        mark.touch()
