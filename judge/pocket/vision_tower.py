"""The critic's vision tower: a small SigLIP and the projector behind it, which tell designs and looks apart.

They are trained by supervised contrast before the language model sees their tokens: from Yes and No alone a model
this small would have to learn to see and to compare at once. A picture's mean token tells the design in its first
dimensions and the look in some more; the others stay empty, so that the language model has room to hold a second
picture beside the one it reads.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import LlavaOnevisionForConditionalGeneration, SiglipVisionConfig, SiglipVisionModel

from judge.pocket.augmentations import BankPictures
from judge.pocket.bank import Bank
from judge.pocket.design_groups import DesignGroups, LookGroups
from lorarar.pocket.image_tensors import mirror_some, noise_like, to_tensor
from lorarar.training.loop import Objective
from lorarar.training.precision import single_precision

SIDE, PATCH, WIDTH = 64, 8, 128
GROUPS = (40, 40)  # designs, and looks, in a batch
TEMPERATURE = 0.1
DESIGN, LOOK = 32, 16  # dimensions of a token for the design, and for the look

CONFIG = SiglipVisionConfig(
    hidden_size=WIDTH,
    intermediate_size=3 * WIDTH,
    num_hidden_layers=5,
    num_attention_heads=4,
    image_size=SIDE,
    patch_size=PATCH,
    vision_use_head=False,
)


def supervised_contrast(features: Tensor, labels: Tensor) -> Tensor:
    """Supervised contrastive loss (Khosla et al., 2020) of features (N, D) by labels (N,)."""
    with single_precision(features.device):
        features = F.normalize(features.float(), dim=1)
        logits = features @ features.T / TEMPERATURE
    own = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    same = (labels[:, None] == labels[None]) & ~own
    log_probabilities = F.log_softmax(logits.masked_fill(own, float("-inf")), dim=1)
    return -(log_probabilities.masked_fill(~same, 0).sum(1) / same.sum(1).clamp(min=1)).mean()


class VisionTowerObjective(Objective):
    """Contrast of designs and of looks, each by its dimensions of the mean token."""

    def __init__(
        self,
        critic: LlavaOnevisionForConditionalGeneration,
        bank: Bank,
        pictures: BankPictures,
        groups: tuple[int, int] = GROUPS,
    ) -> None:
        """Take the critic, the bank and its pictures; ``groups`` designs and looks are a batch."""
        super().__init__()
        self.tower, self.projector = critic.model.vision_tower, critic.model.multi_modal_projector
        self.pictures = pictures
        self.designs, self.looks = DesignGroups(bank, groups[0]), LookGroups(bank, groups[1])

    def batch(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Pictures with the numbers of the designs of their first half and of the looks of their second.

        There are two of each design, one of them plain, and two of each look; many share a class or a style family.
        """
        design_rows, designs = self.designs.sample(generator)
        look_rows, looks = self.looks.sample(generator)
        rows = torch.cat([design_rows, look_rows])
        images = mirror_some(to_tensor(self.pictures.sample_pixels(rows, generator)), 0.3, generator)
        images = images + 0.05 * noise_like(images, generator)
        return tuple(part.to(self.tower.device) for part in (images, designs, looks))

    def forward(self, images: Tensor, designs: Tensor, looks: Tensor) -> Tensor:
        """The loss of one batch."""
        means = self.projector(tower_tokens(self.tower, images)).mean(1)
        design_features, look_features = means[: len(designs), :DESIGN], means[len(designs) :, DESIGN : DESIGN + LOOK]
        return supervised_contrast(design_features, designs) + supervised_contrast(look_features, looks)


def tower_tokens(tower: SiglipVisionModel, images: Tensor) -> Tensor:
    """The tower's tokens (N, T, D) of pictures (N, 3, H, W), as the critic takes them: before the last norm."""
    tokens: Tensor = tower(images, output_hidden_states=True).hidden_states[-1]
    return tokens


@torch.no_grad()
def encode(tower: SiglipVisionModel, pixels: Tensor) -> Tensor:
    """The tower's tokens (N, T, D) of uint8 pictures (N, H, W, 3), as the critic takes them, half precision."""
    device = tower.device
    return torch.cat(
        [tower_tokens(tower, to_tensor(part).to(device)).half().cpu() for part in torch.split(pixels, 128)]
    )


@torch.no_grad()
def standardise(projector: nn.Module, tokens: Tensor) -> None:
    """Change the projector so that the mean token has mean 0 and deviation 1 where it is used, and is 0 elsewhere.

    Args:
        projector: of the vision tower's tokens.
        tokens: the tower's, of the pictures (N, T, D) by which means and deviations are measured.
    """
    last: nn.Linear = projector.get_submodule("linear_2")  # type: ignore[assignment]
    for parameter in (last.weight, last.bias):
        parameter[DESIGN + LOOK :] = 0
    means = projector(tokens).mean(1)
    deviation = means.std(0).where(means.std(0) > 0, torch.ones(()))
    last.bias.sub_(means.mean(0)).div_(deviation)
    last.weight.div_(deviation[:, None])
