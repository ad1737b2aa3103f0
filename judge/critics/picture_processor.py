"""transformers' processor of words and pictures, without its part for videos, which needs torchvision."""

from __future__ import annotations

from typing import Any

from transformers import PreTrainedTokenizerFast
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil
from transformers.models.llava_onevision.processing_llava_onevision import LlavaOnevisionProcessor


class PictureProcessor(LlavaOnevisionProcessor):  # type: ignore[misc]
    """``LlavaOnevisionProcessor`` of two parts: a processor takes its parts from the signature of its ``__init__``."""

    def __init__(
        self, image_processor: LlavaOnevisionImageProcessorPil, tokenizer: PreTrainedTokenizerFast, **settings: Any
    ) -> None:
        super().__init__(image_processor, tokenizer, **settings)
