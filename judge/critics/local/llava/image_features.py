"""Image features: what a critic's language model gets of a picture, computed once a picture by the vision tower.

``anyres`` cuts a picture into crops beside the whole, as the authors ran LLaVA-Critic; ``pad`` shows one
padded square, as the model was trained for several pictures. transformers chooses between them by how the
pictures are nested, silently; here the mode is named, and the number of tokens is checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor
from transformers import LlavaOnevisionForConditionalGeneration

from judge.critics.chat import IMAGE
from judge.critics.critic import CriticError
from judge.critics.local.last_used import LastUsed
from judge.critics.local.settings import ImageMode
from judge.critics.preparation import Prepared

if TYPE_CHECKING:
    from judge.critics.local.llava.loader import PictureProcessor

KEEP = 1 << 30  # bytes: a tile of tests and some references at 7B, anyres and bfloat16, which are 26 MB each


class ImageFeatures:
    """A model's features of pictures, keeping the last ones."""

    def __init__(
        self, model: LlavaOnevisionForConditionalGeneration, processor: PictureProcessor, mode: ImageMode
    ) -> None:
        self.model, self.processor, self.mode = model, processor, mode
        self.features = LastUsed(self._features, lambda features: features.nbytes, most=KEEP)
        self.tokens = lru_cache(None)(self._tokens)

    def nest(self, questions: Sequence[Sequence[Image.Image]]) -> list[Any]:
        """The pictures of questions, nested so that the processor treats them as the mode says."""
        return [list(one) for one in questions] if self.mode == "pad" else [image for one in questions for image in one]

    def _features(self, picture: Prepared) -> Tensor:
        """The features (tokens, width) of a picture, line breaks among them."""
        # a picture of its own would be cut into crops in either mode: it is shown twice, and taken once
        inputs = self.processor.image_processor(self.nest([(picture.image, picture.image)]), return_tensors="pt")
        with torch.inference_mode():
            output = self.model.get_image_features(
                inputs["pixel_values"][:1].to(self.model.device, self.model.dtype),
                inputs["image_sizes"][:1],
                batch_num_images=inputs["batch_num_images"],
            )
        features: Tensor = output.pooler_output[0]
        if len(features) != (expected := self.tokens(picture.image.size)):
            raise CriticError(f"a picture of {picture.image.size} is {len(features)} tokens; expected are {expected}")
        return features

    def _tokens(self, size: tuple[int, int]) -> int:
        """How many marks the processor writes into a prompt for a picture of a size."""
        blank = Image.new("RGB", size)
        ids = self.processor(text=[IMAGE * 2], images=self.nest([(blank, blank)]))["input_ids"][0]
        return len(ids) // 2
