"""DINO and DINOv2: the class token of a vision transformer that learned without labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from judge.metrics.backbone import Backbone
from judge.metrics.preprocessing import imagenet
from judge.metrics.source import ModelSource, ModelTarget

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedConfig, PreTrainedModel

SIDE = 224  # pixels of the square that DINOv2 is evaluated on, cut out of 256; it learned its last steps on 518


class Dino(Backbone):
    """DINO and its like: the class token behind the last layer norm."""

    kind = "dino"

    def see(self, pixels: Tensor) -> Tensor:
        features: Tensor = self.model(pixel_values=pixels).last_hidden_state[:, 0]
        return features


class Dinov2(Dino):
    """DINOv2, without or with registers, which stand behind the class token."""

    kind = "dinov2"


def build_dino(source: ModelSource, config: PreTrainedConfig, target: ModelTarget) -> Dino:
    """A DINO from its source, on the side that its model is of; the model is not loaded yet."""

    def model() -> PreTrainedModel:
        from transformers import Dinov2Model, ViTModel

        if config.model_type == "vit":  # published without a pooler, and its class token is taken before any
            return source.load(ViTModel, target, add_pooling_layer=False)
        return source.load(Dinov2Model, target)

    side = config.image_size if isinstance(config.image_size, int) else config.image_size[0]
    return Dino(source.identity(imagenet(side), target), model)


def build_dinov2(source: ModelSource, config: PreTrainedConfig, target: ModelTarget) -> Dinov2:
    """A DINOv2 from its source; the model is not loaded yet."""

    def model() -> PreTrainedModel:
        from transformers import Dinov2Model, Dinov2WithRegistersModel

        return source.load(Dinov2Model if config.model_type == "dinov2" else Dinov2WithRegistersModel, target)

    return Dinov2(source.identity(imagenet(SIDE), target), model)
