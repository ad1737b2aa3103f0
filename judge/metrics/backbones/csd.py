"""CSD, a descriptor of styles: a CLIP's vision tower with a projection that was taught to tell styles apart.

It is published as a pickle of a training; of that only tensors and plain values are ever read. The projected class
token is what the authors call the style's embedding; their other head, the content's, takes no part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from judge.metrics.backbone import Backbone
from judge.metrics.backbones.csd_weights import vision_tower
from judge.metrics.preprocessing import CLIP_DEVIATION, CLIP_MEAN, Preprocessing
from judge.metrics.source import ModelSource, ModelTarget, loading, quiet
from judge.metrics.table import MetricError

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import CLIPVisionModelWithProjection, PreTrainedConfig

SIDE = 224  # pixels of CLIP ViT-L/14, which it was taught from


class Csd(Backbone):
    """CSD: the vision tower's class token, projected for style."""

    kind = "csd"

    def see(self, pixels: Tensor) -> Tensor:
        features: Tensor = self.model(pixel_values=pixels).image_embeds
        return features


def build_csd(source: ModelSource, config: PreTrainedConfig | None, target: ModelTarget) -> Csd:
    """A CSD from its source; the weights are not read yet."""

    def model() -> CLIPVisionModelWithProjection:
        import torch

        from lorarar.lora.tensors import read_tensors

        if source.weights is None:
            raise MetricError(f"{source.name} is no file of weights")
        tensors, _ = read_tensors(source.weights, MetricError)
        with loading(source.name), quiet():
            return target.place(vision_tower(tensors, SIDE).to(getattr(torch, target.dtype)))

    preprocessing = Preprocessing(SIDE, SIDE, CLIP_MEAN, CLIP_DEVIATION)
    return Csd(source.identity(preprocessing, target), model)
