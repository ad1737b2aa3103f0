"""CLIP: projected pictures and texts in one space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from PIL import Image

from judge.metrics.backbone import Backbone, Identity, Vectors, unit
from judge.metrics.preprocessing import CLIP_DEVIATION, CLIP_MEAN, Preprocessing
from judge.metrics.source import ModelSource, ModelTarget, loading
from judge.metrics.tokenizer_fit import check_tokenizer

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

STEPS = ("do_resize", "do_center_crop", "do_rescale", "do_normalize")
#: What transformers takes where a CLIP's image processor is silent.
SILENT: Mapping[str, Any] = {
    **dict.fromkeys(STEPS, True),
    "size": 224,
    "crop_size": 224,
    "resample": 3,
    "image_mean": CLIP_MEAN,
    "image_std": CLIP_DEVIATION,
}


class Clip(Backbone):
    """CLIP: projected pictures and texts in one space."""

    kind = "clip"

    def __init__(self, identity: Identity, load: Callable[[], CLIPModel], words: Callable[[], CLIPTokenizer]) -> None:
        super().__init__(identity, load)
        self._words = words

    @cached_property
    def tokenizer(self) -> CLIPTokenizer:
        """The loaded tokenizer."""
        return self._words()

    def see(self, pixels: Tensor) -> Tensor:
        features: Tensor = self.model.get_image_features(pixel_values=pixels).pooler_output
        return features

    def texts(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, as one batch; what exceeds the model's length is cut off, as CLIP's users do."""
        import torch

        length = self.model.config.text_config.max_position_embeddings
        tokens = self.tokenizer(list(texts), padding=True, truncation=True, max_length=length, return_tensors="pt")
        with torch.no_grad():
            return unit(self.model.get_text_features(**tokens.to(self.model.device)).pooler_output)


def build_clip(source: ModelSource, config: CLIPConfig, target: ModelTarget) -> Clip:
    """A CLIP from its source; neither model nor tokenizer is loaded yet.

    Raises:
        ValueError: its image processor does something else than resize, cut and normalise.
    """

    def model() -> CLIPModel:
        from transformers import CLIPModel

        return source.load(CLIPModel, target)

    def words() -> CLIPTokenizer:
        from transformers import CLIPTokenizer

        with loading(source.name):
            tokenizer = CLIPTokenizer.from_pretrained(source.location, **source.at)
            check_tokenizer(tokenizer, config.text_config)
            return tokenizer

    return Clip(source.identity(_preprocessing({**SILENT, **source.image_processor()}), target), model, words)


def _preprocessing(processor: Mapping[str, Any]) -> Preprocessing:
    """The preprocessing that a CLIP's own image processor states.

    Raises:
        ValueError: it does something else than resize, cut and normalise.
    """
    size, crop = processor["size"], processor["crop_size"]  # numbers in files of old
    resize = size if isinstance(size, int) else size.get("shortest_edge")
    height, width = (crop, crop) if isinstance(crop, int) else (crop["height"], crop["width"])
    if not all(processor[step] for step in STEPS) or not resize or height != width:
        raise ValueError("its image processor does not resize the shorter side, cut out a square and normalise")
    return Preprocessing(
        resize=resize,
        crop=height,
        mean=tuple(processor["image_mean"]),
        deviation=tuple(processor["image_std"]),
        filter=Image.Resampling(processor["resample"]).name.lower(),
    )
