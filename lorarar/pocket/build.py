"""Pocket's recipe: the stages in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module

from lorarar.pocket.build_context import Stage, Workshop
from lorarar.util.errors import PocketError


def stage(name: str, what: str, module: str) -> Stage:
    """A stage whose function ``run_<name>`` is found in its module when it runs."""

    def run(workshop: Workshop) -> None:
        function: Callable[[Workshop], None] = getattr(import_module(module), f"run_{name}")
        function(workshop)

    return Stage(name, what, run)


_IN = "lorarar.pocket.stages"

STAGES = (
    stage("art", "drawings from npm, designs and reference pictures", f"{_IN}.art"),
    stage("pictures", "the base's training pictures", f"{_IN}.art"),
    stage("vae", "the autoencoder", f"{_IN}.vae"),
    stage("base", "UNet and text encoders", f"{_IN}.base"),
    stage("probe", "a classifier on true pictures, and what it says of generated ones", f"{_IN}.probe"),
    stage("loras", "a LoRA for each subject and style", f"{_IN}.loras"),
    stage("hypernet", "the hypernetwork, on the training pairs alone", f"{_IN}.hypernet"),
    stage("report", "how well LoRAs draw their own designs and looks", f"{_IN}.report"),
    stage("grid", "the test grid by every method, measured, and the README's sheet", f"{_IN}.grid"),
)


def stages_named(names: Sequence[str], stages: Sequence[Stage]) -> list[Stage]:
    """The stages of these names in the recipe's order; all of them for none.

    Raises:
        PocketError: an unknown name; the message lists all.
    """
    known = {stage.name: stage for stage in stages}
    for name in names:
        if name not in known:
            raise PocketError(f"unknown stage {name!r}; the stages are {', '.join(known)}")
    return [stage for stage in stages if not names or stage.name in names]


def run(names: Sequence[str], workshop: Workshop, announce: Callable[[Stage], None], stages: Sequence[Stage]) -> None:
    """Run the stages of these names, or, for none, all that this workshop has not finished yet.

    Raises:
        PocketError: an unknown name, or a stage lacks what an earlier one makes.
    """
    chosen = stages_named(names, stages)
    workshop.folder.mkdir(parents=True, exist_ok=True)
    for stage in chosen:
        finished = workshop.folder / f"{stage.name}.finished"
        if finished.exists() and not names:
            continue
        announce(stage)
        try:
            stage.run(workshop)
        except FileNotFoundError as error:
            lacking = error.filename or error
            raise PocketError(f"stage {stage.name} lacks {lacking}; run the stages before it first") from None
        workshop.checkpoint(stage.name).unlink(missing_ok=True)
        finished.touch()
