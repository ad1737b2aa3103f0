"""How well the merges of a plan know their cells' true pictures, without drawing any.

The truth loss of a merge is the mean squared error of its prediction for noised latents of the cell's true picture,
under the cell's prompt: the base's own training loss. Its half at low noise says how sharp details are, its half at
high noise how right the composition is. It costs a fraction of drawing and tells rows apart pair by pair, but it cares
for area, not for identity; it needs a family that knows the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lorarar.bench.adapters import merge_in_memory
from lorarar.bench.cells import Pair, pairs_of
from lorarar.bench.plan import Plan
from lorarar.families import Base
from lorarar.generation.denoisers.table import denoiser_of, encode_prompts, predict
from lorarar.generation.forward_process import forward_process
from lorarar.generation.latents import encode_images, images_to_tensor
from lorarar.generation.studio import Studio
from lorarar.lora.adapter import Adapter
from lorarar.pictures.concepts import Concept
from lorarar.pictures.true_pictures import truth_of
from lorarar.training.setup import native_side
from lorarar.util.errors import PlanError
from lorarar.util.progress import Ticker
from lorarar.util.statistics.bootstrap import Interval
from lorarar.util.statistics.crossed import Difference, difference_over_pairs, over_pairs
from lorarar.util.statistics.holm import with_holm

if TYPE_CHECKING:
    from PIL import Image

Levels = Mapping[tuple[str, str], Tensor]  # losses (LEVELS,) by pair
LEVELS = 8  # of noise, evenly spaced over the scheduler's timesteps; the lower half of them is low noise
NOISES = 4  # at each level, the same for every row


@dataclass(frozen=True)
class TruthLoss:
    """The truth loss of a plan's row over its pairs, with 95 % intervals when contents and styles are drawn anew."""

    low: Interval  # at low noise
    high: Interval  # at high noise
    whole: Interval
    against_first: Difference | None  # the whole less the first row's, pair by pair; None for the first row itself


def truth_losses(plan: Plan, base: Base, device: str | None = None) -> dict[str, TruthLoss]:
    """The truth loss of each row of a plan, by its name; rows that train or only draw are left out.

    Raises:
        PlanError: the base's family does not know a pair's true picture, or every row trains.
        AdapterError, BaseError: a concept or the base cannot be read.
    """
    levels = _levels(plan, base, device)
    first = next(iter(levels.values()))
    losses = {name: _summary(values, {} if values is first else first) for name, values in levels.items()}
    against = with_holm({name: loss.against_first for name, loss in losses.items()})
    return {name: replace(loss, against_first=against[name]) for name, loss in losses.items()}


def truth_by_pair(plan: Plan, base: Base, device: str | None = None) -> dict[str, dict[tuple[str, str], float]]:
    """The truth loss of each pair by each row of a plan, over all levels of noise; raises as ``truth_losses``."""
    levels = _levels(plan, base, device)
    return {name: {pair: float(of.mean()) for pair, of in values.items()} for name, values in levels.items()}


def _levels(plan: Plan, base: Base, device: str | None) -> dict[str, Levels]:
    """The losses of each row of a plan; raises as ``truth_losses``."""
    rows = [row for row in plan.methods if row.merges and not row.trains]
    if not rows:
        raise PlanError(
            'every row of the plan trains for its pairs or only draws; add one that merges, as method = "ties"'
        )
    chosen = plan.pairs.of(plan.contents.read(base), plan.styles.read(base))
    truths = _true_pictures(base, chosen)
    with Studio(base, device) as studio, Ticker("loss", len(truths) * len(rows)) as ticker:
        measure = _Measure(studio, truths, plan.pictures.templates[0], ticker.advance)
        return {row.row_name: measure(pairs_of(row, base, chosen)) for row in rows}


def _true_pictures(base: Base, concepts: Sequence[tuple[Concept, Concept]]) -> dict[tuple[str, str], Image.Image]:
    """The true picture of every pair, by the names of its concepts.

    Raises:
        PlanError: one is not known.
    """
    truth = truth_of(base)
    if truth is None:
        raise PlanError(f"the truth loss needs true pictures, and base {base.name} has none; accepted is base pocket")
    pictures: dict[tuple[str, str], Image.Image] = {}
    for content, style in concepts:
        picture = truth(content, style)
        if picture is None:
            raise PlanError(f"{content.name} in {style.name} has no true picture that base {base.name} knows of")
        pictures[content.name, style.name] = picture
    return pictures


class _Measure:
    """Measures merges on a loaded base."""

    def __init__(
        self,
        studio: Studio,
        truths: dict[tuple[str, str], Image.Image],
        prompt: str,
        on_pair: Callable[[], None],
    ) -> None:
        self.studio, self.prompt, self.on_pair = studio, prompt, on_pair
        self.side = native_side(studio.pipeline)
        pixels = images_to_tensor(list(truths.values()), self.side)
        self.latents = dict(zip(truths, encode_images(studio.pipeline.vae, pixels), strict=True))
        self.process = forward_process(studio.pipeline)

    def __call__(self, pairs: Sequence[Pair]) -> Levels:
        """The losses (LEVELS,) of a row's merges, by the names of their concepts."""
        return {(pair.content.name, pair.style.name): self._of_pair(pair) for pair in pairs}

    @torch.no_grad()
    def _of_pair(self, pair: Pair) -> Tensor:
        """The losses (LEVELS,) of one pair's merge, whose noises come from the pair's name alone."""
        merged = merge_in_memory(pair, pair.recipe(self.studio.base), self.studio)
        self.studio.load_lora(Adapter(merged.layers, pair.name))
        pipeline = self.studio.pipeline
        latents = self.latents[pair.content.name, pair.style.name].repeat(LEVELS * NOISES, 1, 1, 1)
        generator = torch.Generator().manual_seed(int.from_bytes(sha256(pair.name.encode()).digest()[:6]))
        noise = torch.randn(latents.shape, generator=generator)
        middles = (torch.arange(LEVELS) + 0.5) / LEVELS  # of equal parts, from low noise to high
        timesteps = self.process.at(middles, latents).repeat_interleave(NOISES)
        noisy = self.process.noised(latents, noise, timesteps).to(pipeline.device, pipeline.dtype)
        aims = self.process.target(latents, noise, timesteps)
        conditioning = encode_prompts(pipeline, [pair.prompt(self.prompt)], self.side).at([0] * len(noisy))
        prediction = predict(denoiser_of(pipeline), noisy, timesteps.to(pipeline.device), conditioning).float().cpu()
        self.on_pair()
        errors: Tensor = (prediction - aims).square()
        return errors.flatten(1).mean(1).view(LEVELS, NOISES).mean(1)


def _summary(levels: Levels, first: Levels) -> TruthLoss:
    """The figures of a row, and what it has beyond the first row, which is empty for the first row itself."""
    low, high, whole, firsts = (
        {pair: float(losses[part].mean()) for pair, losses in row.items()}
        for row, part in (
            (levels, slice(LEVELS // 2)),
            (levels, slice(LEVELS // 2, None)),
            (levels, slice(None)),
            (first, slice(None)),
        )
    )
    return TruthLoss(
        low=over_pairs(low),
        high=over_pairs(high),
        whole=over_pairs(whole),
        against_first=difference_over_pairs(whole, firsts),
    )
