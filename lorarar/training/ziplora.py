"""ZipLoRA (Shah et al., 2023): merging coefficients of one pair, optimised at test time by Eq. 3.

The price the paper's hypernetwork saves: 100 steps through the UNet for every new pair. Gated branches
make a step as dear as two adapters, not as two dense updates.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from accelerate import Accelerator
from torch import nn

from lorarar.adapter import part_of
from lorarar.concepts import Concept
from lorarar.gates import Gates
from lorarar.hypernet import Coefficients
from lorarar.training.loop import Plan, train
from lorarar.training.merging import Merging, MergingLoss, Side
from lorarar.training.options import ZipOptions

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline


class ZipMerging(Merging):
    """Eq. 3 with coefficients that are parameters themselves, one pair of vectors for each attention layer."""

    def __init__(
        self, pipeline: StableDiffusionXLPipeline, content: Concept, style: Concept, options: ZipOptions, side: int
    ) -> None:
        super().__init__(pipeline, [content], [style], MergingLoss.of(options), options.batch, side)
        ours, theirs = self.contents[0].adapter.layers, self.styles[0].adapter.layers
        self.layers = [layer for layer in ours if layer in theirs and part_of(layer) != "other"]
        columns = [ours[layer].down.shape[1] for layer in self.layers]
        device = pipeline.unet.device
        self.of_content = nn.ParameterList([nn.Parameter(torch.ones(n, device=device)) for n in columns])
        self.of_style = nn.ParameterList([nn.Parameter(torch.ones(n, device=device)) for n in columns])

    def trained(self) -> dict[str, nn.Parameter]:
        sides = ("content", self.of_content), ("style", self.of_style)
        return {f"{layer}.{name}": p for name, ps in sides for layer, p in zip(self.layers, ps, strict=True)}

    def coefficients(self, content: Side, style: Side) -> tuple[Gates, Sequence[Coefficients]]:
        """The parameters as they are; layers outside attention stay summed."""
        pairs = list(zip(self.of_content, self.of_style, strict=True))
        one = torch.ones((), device=self.unet.device)
        summed: Gates = dict.fromkeys({*content.adapter.layers} & {*style.adapter.layers}, (one, one))
        return dict(summed) | dict(zip(self.layers, pairs, strict=True)), pairs


def train_ziplora(
    pipeline: StableDiffusionXLPipeline,
    content: Concept,
    style: Concept,
    options: ZipOptions,
    *,
    checkpoint: Path | None = None,
    accelerator: Accelerator | None = None,
    side: int = 1024,
    title: str = "ziplora",
) -> dict[str, Coefficients]:
    """Optimise m_c and m_s (n,) of every attention layer that both LoRAs have.

    Args:
        pipeline: the base; left as it was.
        content, style: LoRAs with their pictures and prompts.
        options: loss and length.
        checkpoint: a file to resume from and to keep the state in.
        accelerator: device, precision and processes.
        side: pixels a side of the pictures.
        title: name in the progress display.
    """
    objective = ZipMerging(pipeline, content, style, options, side)
    plan = Plan(options.steps, options.rate, options.seed, decay=False, weight_decay=0, save_every=50)
    weights = train(objective, plan, checkpoint, title=title, accelerator=accelerator).result()
    return {layer: (weights[f"{layer}.content"].cpu(), weights[f"{layer}.style"].cpu()) for layer in objective.layers}
