"""ZipLoRA (Shah et al., 2023): merging coefficients of one pair, optimised at test time by Eq. 3.

The price the paper's hypernetwork saves: 100 steps through the UNet for every new pair. Gated branches
make a step as dear as two adapters, not as two dense updates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from accelerate import Accelerator
from torch import nn

from lorarar.families import Base
from lorarar.generation.base_digest import pinned
from lorarar.generation.gates import Gates
from lorarar.lora.adapter import ATTENTION, Adapter, part_of
from lorarar.merging.coefficients import Coefficients
from lorarar.pictures.concepts import Concept
from lorarar.training.loop import Schedule, train
from lorarar.training.makings import Facts, training_makings
from lorarar.training.merging_loss import Merging, MergingLoss
from lorarar.training.options import ZipOptions
from lorarar.training.out_of_memory import memory_in_one_line
from lorarar.training.place import ANY_PLACE, TrainingPlace
from lorarar.training.setup import load_for_training, native_side

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline


class ZipMerging(Merging):
    """Eq. 3 with coefficients that are parameters themselves, one pair of vectors for each attention layer."""

    def __init__(
        self,
        pipeline: StableDiffusionXLPipeline,
        content: Concept,
        style: Concept,
        options: ZipOptions,
        side: int,
        checkpointing: bool | None = None,
    ) -> None:
        super().__init__(pipeline, [content], [style], MergingLoss.of(options), options.batch, side, checkpointing)
        ours, theirs = self.contents[0].adapter.layers, self.styles[0].adapter.layers
        self.layers = [layer for layer in ours if layer in theirs and part_of(layer) in ATTENTION]
        columns = [ours[layer].down.shape[1] for layer in self.layers]
        device = pipeline.unet.device
        self.of_content = nn.ParameterList([nn.Parameter(torch.ones(n, device=device)) for n in columns])
        self.of_style = nn.ParameterList([nn.Parameter(torch.ones(n, device=device)) for n in columns])

    def trained(self) -> dict[str, nn.Parameter]:
        """Both vectors of every layer, as ``LAYER.content`` and ``LAYER.style``."""
        sides = ("content", self.of_content), ("style", self.of_style)
        return {f"{layer}.{name}": p for name, ps in sides for layer, p in zip(self.layers, ps, strict=True)}

    def coefficients(self, content: Adapter, style: Adapter) -> tuple[Gates, Sequence[Coefficients]]:
        """The parameters as they are; layers outside attention are summed, their gates are 1."""
        pairs = list(zip(self.of_content, self.of_style, strict=True))
        one = torch.ones((), device=self.unet.device)
        ones: Gates = dict.fromkeys({*content.layers} & {*style.layers}, (one, one))
        return dict(ones) | dict(zip(self.layers, pairs, strict=True)), pairs


def train_ziplora(
    pipeline: StableDiffusionXLPipeline,
    content: Concept,
    style: Concept,
    options: ZipOptions,
    *,
    checkpoint: Path | None = None,
    makings: Mapping[str, object] | None = None,
    accelerator: Accelerator | None = None,
    checkpointing: bool | None = None,
    side: int = 1024,
    title: str = "ziplora",
) -> dict[str, Coefficients]:
    """Optimise m_c and m_s (n,) of every attention layer that both LoRAs have.

    Args:
        pipeline: the base; left as it was.
        content, style: LoRAs with their pictures and prompts.
        options: loss and length.
        checkpoint: a file to resume from and to keep the state in.
        makings: all that decides the training; the checkpoint of another one is refused.
        accelerator: device, precision and processes.
        checkpointing: whether blocks run again in ``backward``; by default as ``is_checkpointed`` says.
        side: pixels a side of the pictures.
        title: name in the progress display.
    """
    objective = ZipMerging(pipeline, content, style, options, side, checkpointing)
    schedule = Schedule(
        steps=options.steps,
        rate=options.rate,
        seed=options.seed,
        decay=0,
        weight_decay=0,
        save_every=50,
        optimiser=options.optimiser,
    )
    run = train(objective, schedule, checkpoint, title=title, makings=makings, accelerator=accelerator)
    weights = run.result()
    return {layer: (weights[f"{layer}.content"].cpu(), weights[f"{layer}.style"].cpu()) for layer in objective.layers}


class PairOptimiser:
    """Optimises the coefficients of pairs on one base, which is loaded with the first pair and kept for the others."""

    def __init__(self, base: Base, seed: int, place: TrainingPlace = ANY_PLACE) -> None:
        self.base, self.options, self.place = pinned(base), ZipOptions(seed=seed), place

    def makings(self, content: Facts, style: Facts) -> Facts:
        """All that decides the coefficients of a pair; ``content`` and ``style`` are of ``concept_facts``."""
        return training_makings({"content": content, "style": style}, self.options, self.base, self._accelerator)

    def optimise(
        self, content: Concept, style: Concept, makings: Mapping[str, object], checkpoint: Path | None = None
    ) -> dict[str, Coefficients]:
        """m_c and m_s (n,) of every attention layer; an interrupted run goes on, if it has these makings."""
        with memory_in_one_line(self.options, self._accelerator):
            coefficients = train_ziplora(
                self._pipeline,
                content,
                style,
                self.options,
                checkpoint=checkpoint,
                makings=makings,
                accelerator=self._accelerator,
                side=native_side(self._pipeline),
            )
        if checkpoint:
            checkpoint.unlink(missing_ok=True)
        return coefficients

    @cached_property
    def _accelerator(self) -> Accelerator:
        return self.place.accelerator()

    @cached_property
    def _pipeline(self) -> StableDiffusionXLPipeline:
        """The base on the accelerator's device."""
        return load_for_training(self.base, self._accelerator)
