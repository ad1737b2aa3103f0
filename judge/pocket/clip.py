"""Pocket's CLIP: the ordinary architecture, small, and its training on captioned pictures.

The bank has far fewer captions than pictures, so a caption repeats in a batch: it is encoded once, and all of
its pictures count as right.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from judge.pocket.augmentations import BankPictures, random_crops, random_tints
from judge.pocket.bank import Bank
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.text_encoders import LENGTH
from lorarar.pocket.training_pictures import SIDE, STYLE_FAMILIES, caption
from lorarar.training.loop import Objective, pick

PATCH, WIDTH, PROJECTION = 8, 96, 96
HALF = (0.5, 0.5, 0.5)  # mean and deviation of its normalised pictures
SHARPEST = math.log(100)  # largest logit scale, as in CLIP

#: Every caption of the bank, class by class, family by family.
CAPTIONS = tuple(caption(name, family) for name in CLASS_NAMES for family in STYLE_FAMILIES)


def new_processor() -> CLIPImageProcessorPil:
    """The image processor: how pictures are resized and normalised for it."""
    return CLIPImageProcessorPil(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}, image_mean=HALF, image_std=HALF
    )


def new_clip(tokenizer: CLIPTokenizer) -> CLIPModel:
    """An untrained CLIP."""
    tower = {"hidden_size": WIDTH, "intermediate_size": 3 * WIDTH, "num_attention_heads": 4}
    config = CLIPConfig(
        text_config=tower
        | {
            "vocab_size": len(tokenizer),
            "num_hidden_layers": 2,
            "max_position_embeddings": LENGTH,
            "projection_dim": PROJECTION,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config=tower
        | {"num_hidden_layers": 4, "image_size": SIDE, "patch_size": PATCH, "projection_dim": PROJECTION},
        projection_dim=PROJECTION,
    )
    return CLIPModel(config)


def caption_contrast(images: Tensor, texts: Tensor, own: Tensor, scale: Tensor) -> Tensor:
    """CLIP's loss where several images share a text.

    From image to text it is plain cross-entropy, from text to image the mean over all of a text's images.

    Args:
        images: embeddings (N, D).
        texts: embeddings (C, D) of distinct texts.
        own: the index (N,) of each image's text.
        scale: the factor of the cosines.
    """
    logits = scale * F.normalize(images, dim=1) @ F.normalize(texts, dim=1).T
    right = F.one_hot(own, len(texts)).to(logits.dtype)
    to_images = (F.log_softmax(logits, dim=0) * right).sum(0) / right.sum(0)
    return (F.cross_entropy(logits, own) - to_images.mean()) / 2


class ClipObjective(Objective):
    """Contrast of the bank's pictures and their captions."""

    def __init__(self, model: CLIPModel, tokenizer: CLIPTokenizer, bank: Bank, size: int) -> None:
        """Take the bank; ``size`` of its pictures are a batch."""
        super().__init__()
        self.model, self.size, self.pictures = model, size, BankPictures(bank)
        self.tokens = tokenizer(list(CAPTIONS), padding=True, return_tensors="pt").input_ids
        self.rows = torch.from_numpy(bank.own)  # of the pictures that have captions
        self.captions = torch.from_numpy(bank.classes * len(STYLE_FAMILIES) + bank.families)  # into CAPTIONS, at rows

    def batch(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Pictures (N, 3, SIDE, SIDE) in -1..1, the tokens of their distinct captions, and each picture's caption."""
        rows = self.rows[pick(generator, len(self.rows), self.size)]
        images = random_tints(self.pictures.sample(rows, generator), 0.1, generator)
        images = random_crops(images, SIDE, (0.7, 1.0), generator)
        captions, own = torch.unique(self.captions[rows], return_inverse=True)
        device = self.model.device
        return (images * 2 - 1).to(device), self.tokens[captions].to(device), own.to(device)

    def forward(self, images: Tensor, tokens: Tensor, own: Tensor) -> Tensor:
        """The loss of one batch."""
        image_embeddings = self.model.get_image_features(pixel_values=images).pooler_output
        text_embeddings = self.model.get_text_features(input_ids=tokens).pooler_output
        scale = self.model.logit_scale.clamp(max=SHARPEST).exp()
        return caption_contrast(image_embeddings, text_embeddings, own, scale)
