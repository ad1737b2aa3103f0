"""Pocket's CLIP: the ordinary architecture, small, and its training on captioned pictures.

Its vision model is of the critic's tower's size and learns from nothing. A picture has three captions, of its class in
its style family, of the class alone and of the family alone; each kind is contrasted by itself, so that none is a wrong
answer to another. The bank has far fewer captions than pictures, so a caption repeats in a batch: it is encoded once,
and all of its pictures count as right. Classes beyond Pocket's own have captions too: many classes teach what a class
is.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from judge.pocket.augmentations import BankPictures, random_crops, random_tints
from judge.pocket.bank import Bank
from judge.pocket.vision_tower import CONFIG as TOWER
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.text_encoders import LENGTH
from lorarar.pocket.training_pictures import SIDE, STYLE_FAMILIES, caption
from lorarar.training.loop import Objective, pick
from lorarar.training.precision import single_precision

TEXT_WIDTH, PROJECTION = 96, 96
HALF = (0.5, 0.5, 0.5)  # mean and deviation of its normalised pictures
SHARPEST = math.log(100)  # largest logit scale, as in CLIP
OWN = 0.5  # share of a batch that is of Pocket's own classes
TINT, CROP, TURN = 0.3, (0.5, 1.0), 0.25  # strongest change of colours, share of a picture that stays, largest turn

#: Every caption of Pocket's own classes, class by class, family by family.
CAPTIONS = tuple(caption(name, family) for name in CLASS_NAMES for family in STYLE_FAMILIES)


def new_processor() -> CLIPImageProcessorPil:
    """The image processor: how pictures are resized and normalised for it."""
    return CLIPImageProcessorPil(
        size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}, image_mean=HALF, image_std=HALF
    )


def new_clip(tokenizer: CLIPTokenizer) -> CLIPModel:
    """An untrained CLIP, whose vision model is of the critic's tower's size."""
    config = CLIPConfig(
        text_config={
            "hidden_size": TEXT_WIDTH,
            "intermediate_size": 3 * TEXT_WIDTH,
            "num_attention_heads": 4,
            "vocab_size": len(tokenizer),
            "num_hidden_layers": 2,
            "max_position_embeddings": LENGTH,
            "projection_dim": PROJECTION,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config={
            "hidden_size": TOWER.hidden_size,
            "intermediate_size": TOWER.intermediate_size,
            "num_hidden_layers": TOWER.num_hidden_layers,
            "num_attention_heads": TOWER.num_attention_heads,
            "hidden_act": TOWER.hidden_act,
            "layer_norm_eps": TOWER.layer_norm_eps,
            "image_size": TOWER.image_size,
            "patch_size": TOWER.patch_size,
            "projection_dim": PROJECTION,
        },
        projection_dim=PROJECTION,
    )
    return CLIPModel(config)


def caption_contrast(images: Tensor, texts: Tensor, own: Tensor, scale: Tensor) -> Tensor:
    """CLIP's loss where several images share a text.

    From image to text it is plain cross-entropy, from text to image the mean over all of a text's images; a text
    without an image is a wrong answer and nothing else.

    Args:
        images: embeddings (N, D).
        texts: embeddings (C, D) of distinct texts.
        own: the index (N,) of each image's text.
        scale: the factor of the cosines.
    """
    with single_precision(images.device):
        logits = scale * (F.normalize(images.float(), dim=1) @ F.normalize(texts.float(), dim=1).T)
    right = F.one_hot(own, len(texts)).to(logits.dtype)
    images_of_text = right.sum(0)
    to_images = (F.log_softmax(logits, dim=0) * right).sum(0) / images_of_text.clamp(min=1)
    return (F.cross_entropy(logits, own) - to_images.sum() / (images_of_text > 0).sum()) / 2


class ClipObjective(Objective):
    """Contrast of the bank's pictures and their captions."""

    def __init__(
        self, model: CLIPModel, tokenizer: CLIPTokenizer, bank: Bank, pictures: BankPictures, size: int
    ) -> None:
        """Take the bank and its pictures; ``size`` of them are a batch."""
        super().__init__()
        self.model, self.size, self.pictures = model, size, pictures
        self.classes, self.families = torch.from_numpy(bank.classes), torch.from_numpy(bank.families)
        self.own = torch.from_numpy(bank.own)
        names = [str(name) for name in bank.class_names]
        kinds = [
            [caption(name, family) for name in names for family in STYLE_FAMILIES],
            [caption(name, "") for name in names],
            [caption("picture", family) for family in STYLE_FAMILIES],
        ]
        texts = [text for kind in kinds for text in kind]
        tokens: Tensor = tokenizer(
            texts, padding=True, truncation=True, max_length=LENGTH, return_tensors="pt"
        ).input_ids
        self.whole, self.of_class, self.of_family = torch.split(tokens, [len(kind) for kind in kinds])

    def batch(self, generator: torch.Generator) -> tuple[Tensor, ...]:
        """Pictures (N, 3, SIDE, SIDE) in -1..1; then for each kind of caption tokens and each picture's own (N,)."""
        chosen = torch.rand(self.size, generator=generator) < OWN
        everywhere = pick(generator, len(self.pictures), self.size)
        rows = torch.where(chosen, self.own[pick(generator, len(self.own), self.size)], everywhere)
        images = random_tints(self.pictures.sample(rows, generator), TINT, generator)
        images = random_crops(images, SIDE, CROP, generator, TURN)
        classes, families = self.classes[rows], self.families[rows]
        own_whole = classes * len(STYLE_FAMILIES) + families
        # all captions of Pocket's own classes, all classes and all families are answers, whether or not a picture has
        # them: CLIP's batches of thousands hold nearly all, and a small one would not
        whole = torch.unique(torch.cat([own_whole, torch.arange(len(CAPTIONS))]))
        captions = [
            (self.whole[whole], torch.searchsorted(whole, own_whole)),
            (self.of_class, classes),
            (self.of_family, families),
        ]
        device = self.model.device
        return tuple(part.to(device) for part in (images * 2 - 1, *(part for kind in captions for part in kind)))

    def forward(self, images: Tensor, *captions: Tensor) -> Tensor:
        """The loss of one batch."""
        embeddings = self.model.get_image_features(pixel_values=images).pooler_output
        kinds = captions[::2]
        of_texts = self.model.get_text_features(input_ids=torch.cat(kinds)).pooler_output
        texts = torch.split(of_texts, [len(kind) for kind in kinds])
        scale = self.model.logit_scale.clamp(max=SHARPEST).exp()
        losses = [
            caption_contrast(embeddings, text, own, scale) for text, own in zip(texts, captions[1::2], strict=True)
        ]
        return torch.stack(losses).sum()
