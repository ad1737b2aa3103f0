"""Train the hypernetwork on pairs of content and style LoRAs (the paper's Algorithm 1 and Eq. 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from lorarar.generation.gates import Gates
from lorarar.lora.adapter import PREDICTABLE, Adapter, part_of
from lorarar.merging.coefficients import Coefficients
from lorarar.merging.head import Head, HeadForm
from lorarar.merging.heads.table import HEADS
from lorarar.pictures.concepts import Concept
from lorarar.pictures.true_pictures import Truth
from lorarar.training.accepted_batches import AcceptedBatches
from lorarar.training.accepted_pictures import AcceptedPictures
from lorarar.training.loop import Schedule, TrainingRun, train
from lorarar.training.merging_loss import Merging, MergingLoss, PreparedConcept, prepare_concepts
from lorarar.training.options import HypernetOptions
from lorarar.training.pair_batches import PairBatches, PaperBatches
from lorarar.training.truth_batches import TruthBatches
from lorarar.util.errors import TrainingError

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline


class HypernetMerging(Merging):
    """Eq. 3 with coefficients that a hypernetwork predicts, over all pairs of many contents and styles."""

    def __init__(
        self,
        pipeline: StableDiffusionXLPipeline,
        contents: Sequence[Concept],
        styles: Sequence[Concept],
        options: HypernetOptions,
        side: int,
        checkpointing: bool | None = None,
    ) -> None:
        super().__init__(pipeline, contents, styles, MergingLoss.of(options), options.batch, side, checkpointing)
        torch.manual_seed(options.seed)
        of_content, of_style = ([concept.adapter for concept in side] for side in (self.contents, self.styles))
        self.hypernet = new_hypernet(of_content, of_style, options)
        self.axis = self.hypernet.axis
        self.contents, self.styles = map(self._spelt, (self.contents, self.styles))

    def trained(self) -> dict[str, nn.Parameter]:
        """The hypernetwork's weights."""
        return dict(self.hypernet.named_parameters())

    def forward(self, indices: Tensor, noisy: Tensor, timesteps: Tensor) -> Tensor:
        """The loss of a batch, in which every weight takes part.

        That of a width that this pair's LoRAs do not have gets a gradient of zero; processes that train together would
        wait for one that is missing.
        """
        untouched = torch.stack([weight.sum() for weight in self.hypernet.parameters()]).sum()
        return super().forward(indices, noisy, timesteps) + 0 * untouched

    def coefficients(self, content: Adapter, style: Adapter) -> tuple[Gates, Sequence[Coefficients]]:
        """Eq. 1 for the predicted parts, the constants of ``key_value`` and ``others`` for the rest."""
        gates = self.hypernet(content, style)
        return gates, self.hypernet.overlapping(content, style, gates)

    def _spelt(self, concepts: Sequence[PreparedConcept]) -> list[PreparedConcept]:
        """Concepts with their LoRAs as the head's coefficients scale them."""
        return [replace(one, adapter=self.hypernet.spelt(one.adapter)) for one in concepts]


def new_hypernet(contents: Sequence[Adapter], styles: Sequence[Adapter], options: HypernetOptions) -> Head:
    """An untrained hypernetwork for the layers that it predicts of these LoRAs, where its head starts.

    One that has weights for each width has them for those of predicted layers alone, so that each is trained.

    Raises:
        TrainingError: a part is to be predicted of which no content and style share a layer; for a head that has no
            weights for each width, they share none of the parts.
    """
    of_styles = {layer for adapter in styles for layer in adapter.layers}
    rows = {layer: factors.up.shape[0] for adapter in contents for layer, factors in adapter.layers.items()}
    shared = [(part_of(layer), width) for layer, width in rows.items() if layer in of_styles]
    there = {part for part, _ in shared}
    kind = HEADS[options.head].kind
    missing = [part for part in options.parts if part not in there]
    if missing and (kind.by_width or len(missing) == len(options.parts)):
        accepted = [part for part in PREDICTABLE if part in there]
        raise TrainingError(
            f"--parts names {', '.join(missing)}, of which these contents and styles share no layer; "
            f"they share {', '.join(accepted) or 'none that can be predicted'}"
        )
    widths = {width for part, width in shared if part in options.parts}
    form = HeadForm(options.hidden, options.parts, options.key_value, options.others, tuple(sorted(widths)))
    network = kind.of(form)
    network.start()
    return network


def train_hypernet(
    pipeline: StableDiffusionXLPipeline,
    contents: Sequence[Concept],
    styles: Sequence[Concept],
    options: HypernetOptions,
    *,
    checkpoint: Path | None = None,
    makings: Mapping[str, object] | None = None,
    accelerator: Accelerator | None = None,
    checkpointing: bool | None = None,
    side: int = 1024,
    truth: Truth | None = None,
    accepted: AcceptedPictures | None = None,
    keep: Keeping | None = None,
) -> Head:
    """Train a hypernetwork on all pairs of these contents and styles.

    Args:
        pipeline: the base; left as it was.
        contents, styles: LoRAs with their pictures and prompts.
        options: form, loss and length.
        checkpoint: a file to resume from and to keep the state in.
        makings: all that decides the training; the checkpoint of another one is refused.
        accelerator: device, precision and processes.
        checkpointing: whether blocks run again in ``backward``; by default as ``is_checkpointed`` says.
        side: pixels a side of the pictures.
        truth: the true picture of a pair, for the objective that needs it.
        accepted: the accepted pictures of pairs of these very contents and styles, for the objective that needs them.
        keep: which networks are kept meanwhile, and where.

    Raises:
        TrainingError: the objective needs pictures, and they are not known; or the checkpoint is another training's,
            or numbers are no longer finite.
        AdapterError: many pairs a step are asked for, and LoRAs of a side do not change the same layers.
    """
    objective = new_objective(pipeline, contents, styles, options, side, truth, checkpointing, accepted)
    train(
        objective,
        schedule_of(options),
        checkpoint,
        title="hypernet",
        makings=makings,
        accelerator=accelerator,
        on_run=keep.of(objective.hypernet) if keep else None,
    )
    return objective.hypernet.eval().requires_grad_(False)


def schedule_of(options: HypernetOptions) -> Schedule:
    """Length and rates of a hypernetwork's training."""
    return Schedule(
        steps=options.steps,
        rate=options.rate,
        seed=options.seed,
        warmup=min(100, options.steps // 10),
        decay=options.decay,
        ema=options.average,
        save_every=200,
        optimiser=options.optimiser,
    )


def new_objective(
    pipeline: StableDiffusionXLPipeline,
    contents: Sequence[Concept],
    styles: Sequence[Concept],
    options: HypernetOptions,
    side: int,
    truth: Truth | None,
    checkpointing: bool | None,
    accepted: AcceptedPictures | None = None,
) -> HypernetMerging | PairBatches:
    """What the options ask for: Eq. 3 of one pair a step, of many, or true or accepted pictures."""
    if options.objective == "paper" and options.pairs == 1:
        return HypernetMerging(pipeline, contents, styles, options, side, checkpointing)
    torch.manual_seed(options.seed)
    hypernet = new_hypernet([one.adapter for one in contents], [one.adapter for one in styles], options)
    if options.objective == "truth":
        if truth is None:
            raise TrainingError("--objective truth needs true pictures, and this base has none; accepted is paper")
        return TruthBatches(pipeline, contents, styles, hypernet, options, side, truth, checkpointing)
    if options.objective == "accepted":
        if accepted is None:
            raise TrainingError("--objective accepted needs pictures that a judge accepts: --accepted TITLE")
        return AcceptedBatches(pipeline, accepted, hypernet, options, side, checkpointing)
    prepared = prepare_concepts(pipeline, [*contents, *styles], side)
    sides = prepared[: len(contents)], prepared[len(contents) :]
    return PaperBatches(pipeline, *sides, hypernet, options, checkpointing)


@dataclass(frozen=True)
class Keeping:
    """Networks of a training in progress, for a choice among them: every so many steps one, by its step."""

    every: int
    write: Callable[[int, Head], object]

    def of(self, hypernet: Head) -> Callable[[TrainingRun], None]:
        """What a training of this network calls after each step."""

        def look(run: TrainingRun) -> None:
            if run.step % self.every == 0:
                now = deepcopy(hypernet)
                now.load_state_dict(run.result())
                self.write(run.step, now)

        return look
