"""Coefficients of several pairs optimised at once, for less than each alone: all run through the denoiser in one batch.

Each pair learns as it would alone: the same samples, its own loss and gradient with a limit of its own, its own
moments; what it ends in differs by rounding. All draw by one seed, so that pairs with a concept in common see the same
noisy latents of it, of which its LoRA's prediction, the teacher's, is then made once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import reduce
from typing import TYPE_CHECKING, Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from lorarar.generation.checkpointing import is_checkpointed
from lorarar.generation.denoisers.conditioning import Conditioning
from lorarar.generation.denoisers.table import denoiser_of, predict
from lorarar.generation.forward_process import forward_process
from lorarar.generation.gates import Gates, gated, is_gated
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.stack import stack
from lorarar.merging.coefficients import CoefficientSet, length_along
from lorarar.pictures.concepts import Concept
from lorarar.training.loop import Objective, pick, train
from lorarar.training.member_checkpoints import MemberState
from lorarar.training.merging_loss import MergingLoss, PreparedConcept, noisy_pair, prepare_concepts
from lorarar.training.options import PairOptions
from lorarar.training.pair_coefficients import coefficient_schedule, in_singular_form, optimised_layers
from lorarar.training.precision import single_precision
from lorarar.training.residents import resident
from lorarar.training.share import Share
from lorarar.util.errors import TrainingError

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline

ConceptPair = tuple[Concept, Concept]


def likeness(pair: ConceptPair) -> Hashable | None:
    """What pairs have in common that can be optimised at once; None of one that only can be alone."""
    sides = [[(name, of.rank, of.shape) for name, of in one.adapter.layers.items() if is_gated(name)] for one in pair]
    if any(len(shape) > 2 for side in sides for _, _, shape in side):  # no stack is made of convolutions
        return None
    return tuple(map(tuple, sides))


class PairSide:
    """Content or style of all pairs: each concept once, and which one is whose."""

    def __init__(self, denoiser: Any, concepts: Sequence[PreparedConcept], numbers: Sequence[int]) -> None:
        self.denoiser, self.concepts, self.numbers = denoiser, concepts, torch.tensor(numbers)
        residents = [resident(concept.adapter, denoiser) for concept in concepts]
        self.loras = stack([residents[number] for number in numbers])
        self.conditioning = reduce(Conditioning.followed_by, [concept.conditioning for concept in concepts])

    def of_pair(self, place: int) -> PreparedConcept:
        """The concept of the pair at a place."""
        return self.concepts[int(self.numbers[place])]

    @torch.no_grad()
    def taught(self, noisy: Tensor, timesteps: Tensor) -> Tensor:
        """What each pair's own LoRA predicts (P, size, C, h, w), made once for those that see the same.

        Args:
            noisy: latents (P, size, C, h, w).
            timesteps: of each of them (P, size).
        """
        firsts, which = self._distinct(noisy, timesteps)
        loras = {name: Factors(of.down[firsts], of.up[firsts]) for name, of in self.loras.layers.items()}
        one = torch.ones((), device=noisy.device)
        words = self.numbers[firsts].repeat_interleave(noisy.shape[1])
        with gated(self.denoiser, Adapter(loras), Adapter({}), dict.fromkeys(loras, (one, one))):
            seen = noisy[firsts].flatten(0, 1), timesteps[firsts].flatten()
            predicted = predict(self.denoiser, *seen, self.conditioning.at(words))
        return predicted.view(len(firsts), *noisy.shape[1:])[which]

    def _distinct(self, noisy: Tensor, timesteps: Tensor) -> tuple[list[int], list[int]]:
        """The places of pairs that see something else than those before them, and of each pair which of these."""
        firsts: list[int] = []
        which: list[int] = []
        for place, number in enumerate(self.numbers):
            same = (
                number == self.numbers[other]
                and torch.equal(noisy[place], noisy[other])
                and torch.equal(timesteps[place], timesteps[other])
                for other in firsts
            )
            first = next((index for index, one in enumerate(same) if one), len(firsts))
            if first == len(firsts):
                firsts.append(place)
            which.append(first)
        return firsts, which


class PairGroup(Objective):
    """The sum over pairs of Eq. 3, with coefficients that are parameters themselves: (P, n) of each layer and side."""

    def __init__(
        self,
        pipeline: StableDiffusionXLPipeline,
        pairs: Sequence[ConceptPair],
        options: PairOptions,
        side: int,
        checkpointing: bool | None = None,
    ) -> None:
        """Encode what the pairs are trained on, each concept once, and start all coefficients at 1.

        Args:
            pipeline: the base, whose denoiser is frozen.
            pairs: contents with styles, all of one ``likeness``.
            options: axis and loss.
            side: pixels a side of the pictures.
            checkpointing: whether blocks run again in ``backward``; by default as ``is_checkpointed`` says.

        Raises:
            TrainingError: pairs are of several likenesses, a prompt is too long, or a picture's latents are not finite.
        """
        super().__init__()
        if len({likeness(pair) for pair in pairs}) > 1:
            raise TrainingError("pairs whose LoRAs are of several shapes are not trained at once; train each alone")
        self.members, self.size, self.axis = len(pairs), options.batch, options.axis
        self.denoiser: Any = denoiser_of(pipeline).requires_grad_(False)
        self.checkpointing = is_checkpointed(self.denoiser, checkpointing)
        self.process = forward_process(pipeline)
        content, style = pairs[0]
        self.layers = optimised_layers(content.adapter, style.adapter, options)
        self.loss = MergingLoss.of(options, self.layers)
        self.sides = [self._side(pipeline, of, side) for of in zip(*pairs, strict=True)]
        self.of_content, self.of_style = (nn.ParameterList(map(self._ones(of), self.layers)) for of in self.sides)

    def _side(self, pipeline: StableDiffusionXLPipeline, concepts: Sequence[Concept], side: int) -> PairSide:
        """One side of the pairs."""
        keys = [(concept.path, id(concept.adapter)) for concept in concepts]
        distinct = dict(zip(keys, concepts, strict=True))
        prepared = prepare_concepts(pipeline, list(distinct.values()), side)
        if self.axis == "rank":
            prepared = in_singular_form(prepared, self.layers)
        places = {key: number for number, key in enumerate(distinct)}
        return PairSide(self.denoiser, prepared, [places[key] for key in keys])

    def _ones(self, side: PairSide) -> Callable[[str], nn.Parameter]:
        """What makes the coefficients of a layer and a side, all 1."""
        loras, device = side.concepts[0].adapter.layers, self.denoiser.device
        return lambda layer: nn.Parameter(
            torch.ones(self.members, length_along(self.axis, loras[layer]), device=device)
        )

    def trained(self) -> dict[str, nn.Parameter]:
        """Both coefficients of every layer under the names that they have of a pair alone."""
        sides = ("content", self.of_content), ("style", self.of_style)
        return {f"{layer}.{name}": p for name, ps in sides for layer, p in zip(self.layers, ps, strict=True)}

    def share_of_step(self, generator_of: Callable[[int], torch.Generator], share: Share) -> tuple[Tensor, ...]:
        """Noisy latents (P, 2, size, C, h, w), of content and of style, and their timesteps (P, 2, size).

        All that a pair draws is what it would draw alone, by a generator of its own.
        """
        batches = [self._of_pair(place, generator_of(0), share) for place in range(self.members)]
        noisy, timesteps = (torch.stack(parts) for parts in zip(*batches, strict=True))
        by_side = (self.members, 2, self.size)
        device, dtype = self.denoiser.device, self.sides[0].conditioning.text.dtype
        return noisy.view(*by_side, *noisy.shape[2:]).to(device, dtype), timesteps.view(by_side).to(device)

    def _of_pair(self, place: int, generator: torch.Generator, share: Share) -> tuple[Tensor, Tensor]:
        """What the pair at a place draws, after its content and its style, of which it has one each."""
        for _ in self.sides:
            pick(generator, 1, 1)
        content, style = (side.of_pair(place) for side in self.sides)
        return noisy_pair(self.process, content, style, self.size, generator, share)

    def forward(self, noisy: Tensor, timesteps: Tensor) -> Tensor:
        """The sum of the pairs' losses: the teachers predict without gradients, the merged models with them."""
        content, style = self.sides
        teachers = torch.stack(
            [side.taught(noisy[:, place], timesteps[:, place]) for place, side in enumerate(self.sides)]
        )
        learnt = list(zip(self.of_content, self.of_style, strict=True))
        one = torch.ones((), device=self.denoiser.device)
        gates: Gates = dict.fromkeys({*content.loras.layers, *style.loras.layers}, (one, one)) | {
            layer: (m_c.unsqueeze(-2), m_s.unsqueeze(-2)) for layer, (m_c, m_s) in zip(self.layers, learnt, strict=True)
        }
        both = content.conditioning.followed_by(style.conditioning)
        words = torch.stack([content.numbers, len(content.concepts) + style.numbers], dim=1)
        how: dict[str, Any] = {"axis": self.axis, "checkpointing": self.checkpointing}
        with gated(self.denoiser, content.loras, style.loras, gates, **how):
            seen = noisy.flatten(0, 2), timesteps.flatten()
            merged = predict(self.denoiser, *seen, both.at(words.flatten().repeat_interleave(self.size)))
        by_side = merged.view(noisy.shape).transpose(0, 1)
        with single_precision(self.denoiser.device):
            return self.loss.of_trainings(by_side.flatten(0, 2).float(), teachers.flatten(0, 2).float(), learnt)


def train_coefficient_group(
    pipeline: StableDiffusionXLPipeline,
    pairs: Sequence[ConceptPair],
    options: PairOptions,
    *,
    members: Sequence[MemberState] = (),
    accelerator: Accelerator | None = None,
    side: int = 1024,
    title: str = "coefficients",
) -> list[CoefficientSet]:
    """Optimise m_c and m_s of several pairs at once, each as ``train_coefficients`` would; return them in order.

    Args:
        pipeline: the base; left as it was.
        pairs: LoRAs with their pictures and prompts, all of one ``likeness``.
        options: axis, loss and length.
        members: where each pair's own state is kept, as if it were trained alone.
        accelerator: device and precision; of one process alone.
        side: pixels a side of the pictures.
        title: name in the progress display.
    """
    objective = PairGroup(pipeline, pairs, options, side)
    run = train(objective, coefficient_schedule(options), members=members, title=title, accelerator=accelerator)
    weights = {name: weight.cpu() for name, weight in run.result().items()}
    return [
        CoefficientSet(
            {
                layer: (weights[f"{layer}.content"][place].clone(), weights[f"{layer}.style"][place].clone())
                for layer in objective.layers
            },
            options.axis,
        )
        for place in range(len(pairs))
    ]
