"""Pocket's DINO: a small ViT that learns from pictures without labels, by self-distillation (Caron et al., 2021).

A student sees large and small crops of a picture and has to predict what its own moving average, the teacher,
gives for another large crop. The crops keep about the picture's resolution, since one of 64 pixels has none to
spare, and large ones have half its tokens.
"""

from __future__ import annotations

from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import ViTConfig, ViTModel

from judge.metrics.backbone import IMAGENET_DEVIATION, IMAGENET_MEAN
from judge.pocket.augmentations import BankPictures, random_crops, random_tints
from judge.pocket.bank import Bank
from lorarar.pocket.training_pictures import SIDE
from lorarar.training.loop import Objective, pick

PATCH, WIDTH = 8, 96
LARGE, SMALL = (48, (0.45, 1.0)), (24, (0.1, 0.35))  # of crops: pixels a side, share of the picture's area
SMALL_CROPS = 4  # of each picture, beside two large ones
PROTOTYPES, BOTTLENECK = 512, 64
STUDENT_TEMPERATURE, TEACHER_TEMPERATURE = 0.1, 0.05
FOLLOWING, CENTRING = 0.99, 0.9  # decays of the teacher and of the centre

CONFIG = ViTConfig(
    hidden_size=WIDTH,
    intermediate_size=3 * WIDTH,
    num_hidden_layers=4,
    num_attention_heads=4,
    image_size=SIDE,
    patch_size=PATCH,
)


class PrototypeModel(nn.Module):
    """A ViT and a head that compares its class token with prototypes, both of unit length."""

    def __init__(self) -> None:
        super().__init__()
        self.vit = ViTModel(CONFIG, add_pooling_layer=False)
        self.head = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, BOTTLENECK))
        self.prototypes = nn.Parameter(torch.randn(PROTOTYPES, BOTTLENECK))

    def forward(self, images: Tensor) -> Tensor:
        """Cosines (N, PROTOTYPES) of pictures (N, 3, H, W) of any size in whole patches."""
        tokens = self.vit(pixel_values=images, interpolate_pos_encoding=True).last_hidden_state[:, 0]
        return F.linear(F.normalize(self.head(tokens), dim=1), F.normalize(self.prototypes, dim=1))


def distillation(aims: Tensor, logits: Tensor) -> Tensor:
    """Cross-entropy of the student's predictions with the teacher's, of all pairs of different crops.

    Args:
        aims: the teacher's probabilities (2, N, K) over K prototypes, of two crops of N pictures.
        logits: the student's (V, N, K), of V crops of which the first two are the teacher's.
    """
    log_probabilities = torch.log_softmax(logits, dim=2)
    agreement = torch.einsum("tnk,vnk->tv", aims, log_probabilities) / logits.shape[1]
    others = 1 - torch.eye(*agreement.shape, device=logits.device)
    return -(agreement * others).sum() / others.sum()


class DinoObjective(Objective):
    """Self-distillation over several crops of the bank's pictures."""

    def __init__(self, bank: Bank, size: int) -> None:
        """Take the bank; ``size`` of its pictures are a batch."""
        super().__init__()
        self.size, self.pictures = size, BankPictures(bank)
        self.student = PrototypeModel()
        self.teacher = deepcopy(self.student).requires_grad_(False)
        self.centre = nn.Parameter(torch.zeros(PROTOTYPES), requires_grad=False)

    def trained(self) -> dict[str, nn.Parameter]:
        """The student's weights, and the teacher's and the centre, which have no gradient but are part of the state."""
        return dict(self.named_parameters())

    def batch(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Large crops (2, N, 3, H, W) and small ones (SMALL_CROPS, N, 3, h, w) of the same pictures."""
        rows = pick(generator, len(self.pictures), self.size)
        device = self.centre.device
        return tuple(
            torch.stack([self._crop(rows, *crop, generator) for _ in range(count)]).to(device)
            for crop, count in ((LARGE, 2), (SMALL, SMALL_CROPS))
        )

    def _crop(self, rows: Tensor, side: int, share: tuple[float, float], generator: torch.Generator) -> Tensor:
        # painted and decoded are two views of one picture, so each crop samples anew
        images = random_tints(self.pictures.sample(rows, generator), 0.4, generator)
        mean, deviation = (torch.tensor(values)[:, None, None] for values in (IMAGENET_MEAN, IMAGENET_DEVIATION))
        return (random_crops(images, side, share, generator) - mean) / deviation

    def forward(self, large: Tensor, small: Tensor) -> Tensor:
        """The loss of crops (2, N, 3, H, W) and (SMALL_CROPS, N, 3, h, w); the teacher follows first."""
        aims = self._follow_and_aim(large)
        logits = [self.student(crops.flatten(0, 1)).view(*crops.shape[:2], -1) for crops in (large, small)]
        return distillation(aims, torch.cat(logits) / STUDENT_TEMPERATURE)

    @torch.no_grad()
    def _follow_and_aim(self, large: Tensor) -> Tensor:
        """Move teacher and centre a step, and give the teacher's probabilities (2, N, PROTOTYPES) of large crops."""
        for ours, theirs in zip(self.teacher.parameters(), self.student.parameters(), strict=True):
            ours.lerp_(theirs, 1 - FOLLOWING)
        cosines = self.teacher(large.flatten(0, 1)).float()
        aims = torch.softmax((cosines - self.centre) / TEACHER_TEMPERATURE, dim=1).view(*large.shape[:2], -1)
        self.centre.lerp_(cosines.mean(0), 1 - CENTRING)
        return aims
