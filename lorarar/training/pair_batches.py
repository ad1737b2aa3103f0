"""The hypernetwork's training on many pairs a step, run by the denoiser at once.

A step of one pair teaches the network that pair, and the next forgets some of it. A step of many is the mean over
pairs, its timesteps spread evenly, and costs a small base much less than as many steps of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from lorarar.generation.checkpointing import is_checkpointed
from lorarar.generation.denoisers.conditioning import Conditioning
from lorarar.generation.denoisers.table import denoiser_of, predict
from lorarar.generation.forward_process import forward_process
from lorarar.generation.gates import Gates, gated, is_gated
from lorarar.lora.adapter import Adapter
from lorarar.lora.stack import check_alike, stack
from lorarar.merging.coefficients import Coefficients
from lorarar.merging.head import Head
from lorarar.training.loop import Objective, pick
from lorarar.training.merging_loss import MergingLoss, PreparedConcept
from lorarar.training.options import HypernetOptions
from lorarar.training.precision import single_precision
from lorarar.training.share import ALONE, Share

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline


class PairBatches(Objective):
    """A loss over several pairs of contents and styles a step, with coefficients that a hypernetwork predicts."""

    def __init__(
        self,
        pipeline: StableDiffusionXLPipeline,
        contents: Sequence[Adapter],
        styles: Sequence[Adapter],
        hypernet: Head,
        pairs: int,
        checkpointing: bool | None = None,
    ) -> None:
        """Take the LoRAs of both sides and the network that is trained.

        Args:
            pipeline: the base, whose denoiser is frozen.
            contents, styles: LoRAs, of each side with the same layers where several pairs are a step.
            hypernet: what is trained.
            pairs: how many a step, drawn with replacement.
            checkpointing: whether blocks run again in ``backward``; by default as ``is_checkpointed`` says.

        Raises:
            AdapterError: LoRAs of a side do not change the same layers.
        """
        super().__init__()
        self.denoiser: Any = denoiser_of(pipeline).requires_grad_(False)
        self.checkpointing = is_checkpointed(self.denoiser, checkpointing)
        self.process = forward_process(pipeline)
        self.hypernet, self.pairs = hypernet, pairs
        if pairs > 1:  # one alone is no batch
            for side in (contents, styles):
                check_alike(side)
        self.loras = [[hypernet.spelt(adapter) for adapter in side] for side in (contents, styles)]

    def trained(self) -> dict[str, nn.Parameter]:
        """The hypernetwork's weights."""
        return dict(self.hypernet.named_parameters())

    def share_of_step(self, generator_of: Callable[[int], torch.Generator], share: Share) -> tuple[Tensor, ...]:
        """A share of one batch for all, so that processes train as one alone does with the pairs of them all."""
        return self.batch(generator_of(0), share)

    def batch(self, generator: torch.Generator, share: Share = ALONE) -> tuple[Tensor, ...]:
        """The pairs of a step (2, P) by the numbers of their LoRAs, and what its loss needs of them."""
        raise NotImplementedError

    def draw_pairs(self, generator: torch.Generator, share: Share) -> Tensor:
        """The numbers of contents and of styles (2, P) of all processes' pairs."""
        count = self.pairs * share.count
        return torch.stack([pick(generator, len(side), count) for side in self.loras])

    def spread(self, latents: Tensor, generator: torch.Generator) -> Tensor:
        """Timesteps (N,) of latents (N, C, h, w): one of each of as many equal parts of all, in random order."""
        count = len(latents)
        places = (torch.randperm(count, generator=generator) + torch.rand(count, generator=generator)) / count
        return self.process.at(places, latents)

    def merged(
        self, content: Adapter, style: Adapter, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning
    ) -> tuple[Tensor, Sequence[Coefficients]]:
        """Predictions of the merged models of P pairs, and what of their coefficients may not overlap, (P, n) each.

        Args:
            content, style: the pairs' LoRAs, as stacks.
            noisy: latents, as many of each pair in a row.
            timesteps, conditioning: of each of them.
        """
        with single_precision(self.denoiser.device):
            coefficients = self.hypernet(content, style)
            learnt = self.hypernet.overlapping(content, style, coefficients)
        one = torch.ones((), device=self.denoiser.device)
        gates: Gates = dict.fromkeys({*content.layers, *style.layers}, (one, one)) | {
            layer: (of_content.unsqueeze(-2), of_style.unsqueeze(-2))
            for layer, (of_content, of_style) in coefficients.items()
        }
        with gated(self.denoiser, content, style, gates, axis=self.hypernet.axis, checkpointing=self.checkpointing):
            prediction = predict(self.denoiser, noisy, timesteps, conditioning)
        # a width that these LoRAs do not have gets a gradient of zero, for which processes would wait
        untouched = torch.stack([weight.sum() for weight in self.hypernet.parameters()]).sum()
        return prediction.float() + 0 * untouched, learnt

    def stacks(self, pairs: Tensor) -> tuple[Adapter, Adapter]:
        """The LoRAs of pairs (2, P) on the denoiser's device, as a stack of contents and one of styles."""
        content, style = (
            stack([side[int(number)] for number in numbers]) for side, numbers in zip(self.loras, pairs, strict=True)
        )
        return self._placed(content), self._placed(style)

    def _placed(self, adapter: Adapter) -> Adapter:
        """The denoiser's layers of a stack on its device, in its numbers."""
        device, dtype = self.denoiser.device, self.denoiser.dtype
        layers = adapter.layers.items()
        return Adapter({name: factors.to(dtype, device) for name, factors in layers if is_gated(name)})


class PaperBatches(PairBatches):
    """Eq. 3 over many pairs: the mean of what each pair alone would have."""

    def __init__(
        self,
        pipeline: StableDiffusionXLPipeline,
        contents: Sequence[PreparedConcept],
        styles: Sequence[PreparedConcept],
        hypernet: Head,
        options: HypernetOptions,
        checkpointing: bool | None = None,
    ) -> None:
        ours, theirs = ([concept.adapter for concept in side] for side in (contents, styles))
        super().__init__(pipeline, ours, theirs, hypernet, options.pairs, checkpointing)
        self.sides, self.size, self.loss = (contents, styles), options.batch, MergingLoss.of(options)

    def batch(self, generator: torch.Generator, share: Share = ALONE) -> tuple[Tensor, ...]:
        """Pairs (2, P), noisy latents of content and of style (2, P size, ...), and their timesteps (2, P size)."""
        pairs = self.draw_pairs(generator, share)
        latents = torch.stack(
            [
                torch.cat([_some(side[int(number)].latents, self.size, generator) for number in numbers])
                for side, numbers in zip(self.sides, pairs, strict=True)
            ]
        )
        noise = torch.randn(latents.shape, generator=generator)
        timesteps = torch.stack([self.spread(side, generator) for side in latents])
        own = [share.of(part.transpose(0, 1)).transpose(0, 1) for part in (pairs, latents, noise, timesteps)]
        pairs, latents, noise, timesteps = own
        noisy = self.process.noised(latents.flatten(0, 1), noise.flatten(0, 1), timesteps.flatten())
        device, dtype = self.denoiser.device, self.sides[0][0].conditioning.text.dtype
        return pairs, noisy.view(latents.shape).to(device, dtype), timesteps.to(device)

    def forward(self, pairs: Tensor, noisy: Tensor, timesteps: Tensor) -> Tensor:
        """The loss of a batch: the teachers predict without gradients, the merged models with them."""
        count = pairs.shape[1]
        stacks, conditionings = self.stacks(pairs), self._conditionings(pairs)
        teachers = [self._taught(*of_side) for of_side in zip(stacks, noisy, timesteps, conditionings, strict=True)]
        in_a_row = partial(_pair_by_pair, count=count)
        conditioning = (
            conditionings[0].followed_by(conditionings[1]).at(in_a_row(torch.arange(2 * count * self.size).view(2, -1)))
        )
        merged, learnt = self.merged(*stacks, in_a_row(noisy), in_a_row(timesteps), conditioning)
        halves = merged.view(count, 2, self.size, *merged.shape[1:]).transpose(0, 1).flatten(1, 2)
        with single_precision(self.denoiser.device):
            return self.loss.of_pairs(halves.flatten(0, 1), torch.cat(teachers).float(), learnt)

    def _conditionings(self, pairs: Tensor) -> list[Conditioning]:
        """The prompts of each side's samples."""
        return [
            reduce(Conditioning.followed_by, [side[int(n)].conditioning.at([0] * self.size) for n in numbers])
            for side, numbers in zip(self.sides, pairs, strict=True)
        ]

    @torch.no_grad()
    def _taught(self, lora: Adapter, noisy: Tensor, timesteps: Tensor, conditioning: Conditioning) -> Tensor:
        """What each sample's own LoRA predicts."""
        one = torch.ones((), device=self.denoiser.device)
        with gated(self.denoiser, lora, Adapter({}), dict.fromkeys(lora.layers, (one, one))):
            return predict(self.denoiser, noisy, timesteps, conditioning)


def _some(latents: Tensor, size: int, generator: torch.Generator) -> Tensor:
    return latents[pick(generator, len(latents), size)]


def _pair_by_pair(sides: Tensor, count: int) -> Tensor:
    """Samples (2, P size, ...) of content and of style as (2 P size, ...), those of a pair in a row."""
    return sides.view(2, count, -1, *sides.shape[2:]).transpose(0, 1).flatten(0, 2)
