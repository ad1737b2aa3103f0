"""Merging coefficients of one pair, optimised at test time by Eq. 3: ZipLoRA's, ZipRank's and LoRA Soups'.

The price the paper's hypernetwork saves: 100 steps through the denoiser for every new pair. Gated branches
make a step as dear as two adapters, not as two dense updates. The methods differ in what a coefficient is of and
in the term of the loss beside fidelity, both of which their options say (``PairOptions``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from accelerate import Accelerator
from torch import nn

from lorarar.families import Base
from lorarar.generation.base_digest import pinned
from lorarar.generation.gates import Gates, is_gated
from lorarar.lora.adapter import ATTENTION, Adapter, part_of
from lorarar.lora.singular_form import singular_forms
from lorarar.merging.coefficients import Coefficients, CoefficientSet, length_along
from lorarar.pictures.concepts import Concept
from lorarar.training.loop import Schedule, train
from lorarar.training.makings import Facts, training_makings
from lorarar.training.merging_loss import Merging, MergingLoss, PreparedConcept
from lorarar.training.options import PairOptions
from lorarar.training.out_of_memory import memory_in_one_line
from lorarar.training.place import ANY_PLACE, TrainingPlace
from lorarar.training.setup import load_for_training, native_side

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline


class PairMerging(Merging):
    """Eq. 3 with coefficients that are parameters themselves, two vectors for each layer that has some."""

    def __init__(
        self,
        pipeline: StableDiffusionXLPipeline,
        content: Concept,
        style: Concept,
        options: PairOptions,
        side: int,
        checkpointing: bool | None = None,
    ) -> None:
        layers = optimised_layers(content.adapter, style.adapter, options)
        loss = MergingLoss.of(options, layers)
        super().__init__(pipeline, [content], [style], loss, options.batch, side, checkpointing)
        self.layers, self.axis = layers, options.axis
        if self.axis == "rank":
            self.contents, self.styles = (in_singular_form(of, layers) for of in (self.contents, self.styles))
        device = self.denoiser.device
        self.of_content, self.of_style = (
            nn.ParameterList(
                [
                    nn.Parameter(torch.ones(length_along(self.axis, one.adapter.layers[layer]), device=device))
                    for layer in self.layers
                ]
            )
            for one in (self.contents[0], self.styles[0])
        )

    def trained(self) -> dict[str, nn.Parameter]:
        """Both vectors of every layer, as ``LAYER.content`` and ``LAYER.style``."""
        sides = ("content", self.of_content), ("style", self.of_style)
        return {f"{layer}.{name}": p for name, ps in sides for layer, p in zip(self.layers, ps, strict=True)}

    def coefficients(self, content: Adapter, style: Adapter) -> tuple[Gates, Sequence[Coefficients]]:
        """The parameters as they are; layers without any are summed, their gates are 1."""
        pairs = list(zip(self.of_content, self.of_style, strict=True))
        one = torch.ones((), device=self.denoiser.device)
        ones: Gates = dict.fromkeys({*content.layers} & {*style.layers}, (one, one))
        return dict(ones) | dict(zip(self.layers, pairs, strict=True)), pairs


def in_singular_form(concepts: Sequence[PreparedConcept], layers: Sequence[str]) -> list[PreparedConcept]:
    """Concepts whose LoRAs have these layers in singular form, so that rank components are the same however spelt."""
    spelt = []
    for concept in concepts:
        own = concept.adapter.layers
        forms = singular_forms({layer: own[layer] for layer in layers})
        spelt.append(replace(concept, adapter=replace(concept.adapter, layers={**own, **forms})))
    return spelt


def optimised_layers(content: Adapter, style: Adapter, options: PairOptions) -> list[str]:
    """The layers of two LoRAs that get coefficients, in content's order."""
    return [
        layer
        for layer in content.layers
        if layer in style.layers and is_gated(layer) and (part_of(layer) in ATTENTION or not options.attention_alone)
    ]


def train_coefficients(
    pipeline: StableDiffusionXLPipeline,
    content: Concept,
    style: Concept,
    options: PairOptions,
    *,
    checkpoint: Path | None = None,
    makings: Mapping[str, object] | None = None,
    accelerator: Accelerator | None = None,
    checkpointing: bool | None = None,
    side: int = 1024,
    title: str = "coefficients",
) -> CoefficientSet:
    """Optimise m_c and m_s of every layer that gets some, along the options' axis.

    Args:
        pipeline: the base; left as it was.
        content, style: LoRAs with their pictures and prompts.
        options: axis, loss and length.
        checkpoint: a file to resume from and to keep the state in.
        makings: all that decides the training; the checkpoint of another one is refused.
        accelerator: device, precision and processes.
        checkpointing: whether blocks run again in ``backward``; by default as ``is_checkpointed`` says.
        side: pixels a side of the pictures.
        title: name in the progress display.
    """
    objective = PairMerging(pipeline, content, style, options, side, checkpointing)
    run = train(
        objective, coefficient_schedule(options), checkpoint, title=title, makings=makings, accelerator=accelerator
    )
    weights = run.result()
    pairs = {layer: (weights[f"{layer}.content"].cpu(), weights[f"{layer}.style"].cpu()) for layer in objective.layers}
    return CoefficientSet(pairs, options.axis)


def coefficient_schedule(options: PairOptions) -> Schedule:
    """At a constant rate, and without decay of weights."""
    return Schedule(
        steps=options.steps,
        rate=options.rate,
        seed=options.seed,
        decay=0,
        weight_decay=0,
        save_every=50,
        optimiser=options.optimiser,
    )


class PairOptimiser:
    """Optimises the coefficients of pairs on one base, which is loaded with the first pair and kept for the others."""

    def __init__(self, base: Base, options: PairOptions, place: TrainingPlace = ANY_PLACE) -> None:
        self.base, self.options, self.place = pinned(base), options, place

    def makings(self, content: Facts, style: Facts) -> Facts:
        """All that decides the coefficients of a pair; ``content`` and ``style`` are of ``concept_facts``."""
        return training_makings({"content": content, "style": style}, self.options, self.base, self._accelerator)

    def optimise(
        self, content: Concept, style: Concept, makings: Mapping[str, object], checkpoint: Path | None = None
    ) -> CoefficientSet:
        """m_c and m_s of every layer that gets some; an interrupted run goes on, if it has these makings."""
        with memory_in_one_line(self.options, self._accelerator):
            coefficients = train_coefficients(
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
