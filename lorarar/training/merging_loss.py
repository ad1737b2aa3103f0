"""The merging loss (Eq. 3), for whatever predicts the coefficients: a hypernetwork, or parameters of one pair.

The teachers and the merged model run behind gates on one denoiser, so no merged weight is ever formed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lorarar.generation.checkpointing import is_checkpointed
from lorarar.generation.denoisers.conditioning import Conditioning
from lorarar.generation.denoisers.table import denoiser_of, predict
from lorarar.generation.forward_process import ForwardProcess, forward_process
from lorarar.generation.gates import Gates, gated
from lorarar.lora.adapter import Adapter
from lorarar.lora.axis import Axis
from lorarar.merging.coefficients import Coefficients
from lorarar.pictures.concepts import Concept
from lorarar.training.encoding import FilePictures, encode_pictures, encode_texts
from lorarar.training.fidelities import FIDELITIES, unit_of
from lorarar.training.loop import Objective, pick
from lorarar.training.options import Fidelity, HypernetOptions, PairOptions
from lorarar.training.precision import single_precision
from lorarar.training.regularisers import Penalty, penalty_of
from lorarar.training.residents import ResidentAdapter
from lorarar.training.share import ALONE, Share

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline


@dataclass(frozen=True)
class MergingLoss:
    """The terms of Eq. 3, or of another loss that has a term of its own beside fidelity."""

    fidelity: Fidelity
    penalty: Penalty

    @classmethod
    def of(cls, options: HypernetOptions | PairOptions, layers: Sequence[str] = ()) -> MergingLoss:
        """The terms that these options name; ``layers`` are those of the coefficients that are learnt, in order."""
        return cls(options.fidelity, penalty_of(options, layers))

    def __call__(self, merged: Tensor, teachers: Tensor, pairs: Sequence[Coefficients]) -> Tensor:
        """Eq. 3.

        Args:
            merged: predictions of the merged model (2 N, C, h, w), for content's samples first.
            teachers: predictions of each sample's own LoRA, in the same order.
            pairs: the coefficients that are learnt.
        """
        return self._both(merged, teachers) + self._penalty_of(merged, pairs)

    def of_pairs(self, merged: Tensor, teachers: Tensor, learnt: Sequence[Coefficients]) -> Tensor:
        """The mean of Eq. 3 over P pairs, whose samples are as many each and whose coefficients are (P, n)."""
        each = zip(*(zip(m_c, m_s, strict=True) for m_c, m_s in learnt), strict=True)
        penalty = torch.stack([self._penalty_of(merged, list(pairs)) for pairs in each]).mean()
        return self._both(merged, teachers) + penalty

    def of_trainings(self, merged: Tensor, teachers: Tensor, learnt: Sequence[Coefficients]) -> Tensor:
        """The sum of Eq. 3 over P pairs that are trained at once, of the same kind of arguments."""
        count = len(learnt[0][0])
        penalty = torch.vmap(lambda pairs: self._penalty_of(merged, pairs))([tuple(pair) for pair in learnt])
        return count * self._both(merged, teachers) + penalty.sum()

    def _both(self, merged: Tensor, teachers: Tensor) -> Tensor:
        """The fidelity terms of content and of style."""
        fidelity, half = FIDELITIES[self.fidelity], len(merged) // 2
        return fidelity(merged[:half], teachers[:half]) + fidelity(merged[half:], teachers[half:])

    def _penalty_of(self, merged: Tensor, pairs: Sequence[Coefficients]) -> Tensor:
        """What is asked of the coefficients, with its weight; a term may be in the unit of a fidelity term."""
        unit = unit_of(FIDELITIES[self.fidelity], merged[: len(merged) // 2])
        return self.penalty.weight * self.penalty.term(pairs, unit)


@dataclass(frozen=True)
class PreparedConcept:
    """One concept, made ready: its LoRA where it was read, latents on the CPU, conditioning where the denoiser is."""

    adapter: Adapter
    latents: Tensor
    conditioning: Conditioning


def prepare_concepts(
    pipeline: StableDiffusionXLPipeline, concepts: Sequence[Concept], side: int
) -> list[PreparedConcept]:
    """Encode the prompts of concepts, and then their pictures, at ``side`` pixels a side.

    Raises:
        TrainingError: a prompt is too long, or a picture's latents are not finite.
    """
    texts = encode_texts(pipeline, [[concept.prompt] for concept in concepts], side)
    pictures = encode_pictures(pipeline, [FilePictures(concept.images, side) for concept in concepts])
    return [
        PreparedConcept(concept.adapter, latents, conditioning)
        for concept, latents, conditioning in zip(concepts, pictures, texts, strict=True)
    ]


def noisy_pair(
    process: ForwardProcess,
    content: PreparedConcept,
    style: PreparedConcept,
    size: int,
    generator: torch.Generator,
    share: Share = ALONE,
) -> tuple[Tensor, Tensor]:
    """A share of noisy latents, ``size`` a process of content and then as many of style, and their timesteps."""
    count = size * share.count
    latents = torch.cat([side.latents[pick(generator, len(side.latents), count)] for side in (content, style)])
    noise = torch.randn(latents.shape, generator=generator)
    timesteps = process.draw(latents, generator)
    own = torch.cat([share.of(half) for half in torch.arange(len(latents)).chunk(2)])
    latents, noise, timesteps = latents[own], noise[own], timesteps[own]
    return process.noised(latents, noise, timesteps), timesteps


class Merging(Objective):
    """Eq. 3: the merged model should denoise content as content's LoRA does, and style as style's does."""

    axis: Axis = "column"  # of the coefficients

    def __init__(
        self,
        pipeline: StableDiffusionXLPipeline,
        contents: Sequence[Concept],
        styles: Sequence[Concept],
        loss: MergingLoss,
        size: int,
        side: int,
        checkpointing: bool | None = None,
    ) -> None:
        """Prepare both sides for the denoiser.

        Args:
            pipeline: the base, whose denoiser is frozen.
            contents, styles: LoRAs with their pictures and prompts.
            loss: the terms of Eq. 3.
            size: noisy latents of content, and as many of style, a step.
            side: pixels a side of the pictures.
            checkpointing: whether blocks run again in ``backward``; by default as ``is_checkpointed`` says.
        """
        super().__init__()
        self.denoiser: Any = denoiser_of(pipeline).requires_grad_(False)
        self.checkpointing = is_checkpointed(self.denoiser, checkpointing)
        self.loss, self.size, self.process = loss, size, forward_process(pipeline)
        prepared = prepare_concepts(pipeline, [*contents, *styles], side)
        self.contents, self.styles = prepared[: len(contents)], prepared[len(contents) :]
        self.residents = ResidentAdapter(self.denoiser), ResidentAdapter(self.denoiser)

    def coefficients(self, content: Adapter, style: Adapter) -> tuple[Gates, Sequence[Coefficients]]:
        """Gates of every layer that both adapters have, and the pairs m_c, m_s (n,) that are learnt, of a pair's LoRAs.

        Both are on the denoiser's device, maybe in half precision; what is computed of them is not, nor under autocast.
        """
        raise NotImplementedError

    def share_of_step(self, generator_of: Callable[[int], torch.Generator], share: Share) -> tuple[Tensor, ...]:
        """A share of one batch for all, so that processes train as one alone does with a batch of them all."""
        return self.batch(generator_of(0), share)

    def batch(self, generator: torch.Generator, share: Share = ALONE) -> tuple[Tensor, ...]:
        """Indices of a content and a style, noisy latents of both, their timesteps (Algorithm 1, step 3)."""
        groups = self.contents, self.styles
        indices = [int(pick(generator, len(group), 1)) for group in groups]
        content, style = (group[index] for group, index in zip(groups, indices, strict=True))
        noisy, timesteps = noisy_pair(self.process, content, style, self.size, generator, share)
        device = self.denoiser.device
        return torch.tensor(indices), noisy.to(device, content.conditioning.text.dtype), timesteps.to(device)

    def forward(self, indices: Tensor, noisy: Tensor, timesteps: Tensor) -> Tensor:
        """The loss of a batch: the teachers predict without gradients, the merged model with them."""
        pair = self.contents[int(indices[0])], self.styles[int(indices[1])]
        content, style = (place(of.adapter) for place, of in zip(self.residents, pair, strict=True))
        conditioning = _side_by_side(pair[0].conditioning, pair[1].conditioning, self.size)
        with torch.no_grad(), gated(self.denoiser, content, style, self._teachers(content, style)):
            teachers = predict(self.denoiser, noisy, timesteps, conditioning)
        with single_precision(self.denoiser.device):
            gates, learnt = self.coefficients(content, style)
        gates = self._with_own(gates, content, style)
        with gated(self.denoiser, content, style, gates, axis=self.axis, checkpointing=self.checkpointing):
            merged = predict(self.denoiser, noisy, timesteps, conditioning)
        with single_precision(self.denoiser.device):
            return self.loss(merged.float(), teachers.float(), learnt)

    def _teachers(self, content: Adapter, style: Adapter) -> Gates:
        """Gates that show the first half of the samples content's LoRA alone, the second half style's."""
        half = torch.arange(2 * self.size, device=self.denoiser.device) < self.size
        first = half.to(self.denoiser.dtype).view(-1, 1, 1)
        return dict.fromkeys({*content.layers, *style.layers}, (first, 1 - first))

    def _with_own(self, gates: Gates, content: Adapter, style: Adapter) -> Gates:
        """The gates, and 1 for layers that only one adapter has."""
        one = torch.ones((), device=self.denoiser.device)
        return dict.fromkeys({*content.layers, *style.layers}, (one, one)) | dict(gates)


def _side_by_side(content: Conditioning, style: Conditioning, size: int) -> Conditioning:
    """Content's prompt ``size`` times, then style's as often."""
    index = [0] * size
    return content.at(index).followed_by(style.at(index))
