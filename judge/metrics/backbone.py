"""Backbones: models that turn a picture, and CLIP also a text, into one vector of unit length.

Invariant: whatever can change a vector by more than rounding stands in the backbone's identity; the device
does not. The identity is known before the model is loaded, so that what is cached needs no model.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PIL import Image

from judge.metrics.metric import Kind, MetricError
from judge.metrics.preprocessing import Preprocessing
from judge.metrics.vectors import Vectors

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import CLIPModel, CLIPTokenizer, Dinov2Model, ViTModel


@dataclass(frozen=True)
class Identity:
    """What decides a backbone's vectors."""

    name: str
    revision: str  # a hub's commit, or the digest of a folder's files
    preprocessing: Preprocessing
    dtype: str
    version: str  # of the library that runs it

    def record(self) -> dict[str, Any]:
        """All of it, for a database or a report."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """A short name of all of it."""
        return hashlib.sha256(json.dumps(self.record(), sort_keys=True).encode()).hexdigest()[:24]


class Backbone(ABC):
    """A model with its identity."""

    kind: ClassVar[Kind]

    def __init__(self, identity: Identity, load: Callable[[], CLIPModel | ViTModel | Dinov2Model]) -> None:
        self.identity, self._load = identity, load

    @cached_property
    def model(self) -> CLIPModel | ViTModel | Dinov2Model:
        """The loaded model.

        Raises:
            MetricError: it cannot be loaded.
        """
        return self._load()

    def images(self, pictures: Sequence[Image.Image]) -> Vectors:
        """Vectors of RGB pictures, as one batch; a row is of no length or not finite where the model fails."""
        import torch

        pixels = torch.from_numpy(np.stack([self.identity.preprocessing(picture) for picture in pictures]))
        with torch.no_grad():
            return _unit(self.see(pixels.to(self.model.device, self.model.dtype)))

    @abstractmethod
    def see(self, pixels: Tensor) -> Tensor:
        """Features (N, D) of preprocessed pictures (N, 3, H, W)."""

    def texts(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, as one batch.

        Raises:
            MetricError: the backbone takes pictures alone.
        """
        raise MetricError(f"{self.identity.name} takes pictures alone; a prompt is measured by a CLIP")


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
            return _unit(self.model.get_text_features(**tokens.to(self.model.device)).pooler_output)


class Dino(Backbone):
    """DINO and its like: the class token behind the last layer norm."""

    kind = "dino"

    def see(self, pixels: Tensor) -> Tensor:
        features: Tensor = self.model(pixel_values=pixels).last_hidden_state[:, 0]
        return features


def _unit(features: Tensor) -> Vectors:
    from torch.nn.functional import normalize

    vectors: Vectors = normalize(features.float(), dim=1).cpu().numpy()
    return vectors
