"""The probe: a small classifier of class and style family, trained on true pictures.

It measures the base: how often the class and the style family of a generated picture are those of its prompt. It does
not judge merges beyond that; its accuracy on true pictures that it was not trained on is recorded beside every figure
it gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from lorarar.pocket import shipped
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.training_pictures import STYLE_FAMILIES


class Probe(nn.Module):
    """Four convolutions and two heads: logits over ``CLASS_NAMES`` and over ``STYLE_FAMILIES``."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        widths = (3, width, 2 * width, 4 * width, 6 * width)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.GroupNorm(8, after), nn.SiLU()]
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(16 * widths[-1], 128), nn.SiLU())
        self.classes = nn.Linear(128, len(CLASS_NAMES))
        self.families = nn.Linear(128, len(STYLE_FAMILIES))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N, classes) and (N, families) of pictures (N, 3, 64, 64) in -1..1."""
        features = self.body(images)
        return self.classes(features), self.families(features)

    @torch.no_grad()
    def predict(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Class and style family (N,), (N,) of pictures (N, 3, 64, 64) in -1..1."""
        classes, families = zip(*(self(part) for part in torch.split(images, 256)), strict=True)
        return torch.cat(classes).argmax(1), torch.cat(families).argmax(1)


@dataclass(frozen=True)
class Accuracy:
    """The shares of pictures whose class and style family the probe predicts."""

    class_top1: float
    family_top1: float
    count: int


def load_probe() -> Probe:
    """The shipped probe."""
    probe = Probe()
    probe.load_state_dict(load_file(shipped.PROBE))
    return probe.eval()


def accuracy(probe: Probe, images: Tensor, classes: Tensor, families: Tensor) -> Accuracy:
    """The probe's accuracy on pictures (N, 3, 64, 64) in -1..1 with their labels (N,), (N,)."""
    predicted_classes, predicted_families = probe.predict(images)
    return Accuracy(
        class_top1=round(float((predicted_classes == classes).float().mean()), 4),
        family_top1=round(float((predicted_families == families).float().mean()), 4),
        count=len(images),
    )
