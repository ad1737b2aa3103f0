"""Backbones: models that turn a picture, and CLIP also a text, into one vector of unit length.

Invariant: whatever can change a vector by more than rounding stands in the backbone's identity; the device
does not. The identity is known before the model is loaded, so that what is cached needs no model.

A picture's shorter side is resized, its centre cut out, its values normalised; the few numbers of that describe CLIP's
and DINO's preprocessing alike, and are recorded with every score.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from judge.metrics.table import MetricError
from lorarar.util.digest import digest_of_facts

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import CLIPModel, CLIPTokenizer, Dinov2Model, ViTModel


Vector = NDArray[np.float32]  # (D,)
Vectors = NDArray[np.float32]  # (N, D), one a row
Colour = tuple[float, float, float]

LONGEST = 16  # times as long as it is wide a picture may be before its ends are left out

IMAGENET_MEAN: Colour = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION: Colour = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocessing:
    """Resize, centre crop, mean and deviation of values in 0..1.

    An odd remainder of the cut goes to the right and below, as in transformers (torchvision rounds it, a pixel apart
    at most).
    """

    resize: int  # pixels of the shorter side
    crop: int  # pixels a side
    mean: Colour
    deviation: Colour
    filter: str = "bicubic"  # of the resize, as Pillow names it

    def __post_init__(self) -> None:
        if not 0 < self.crop <= self.resize:
            raise ValueError(f"a crop of {self.crop} pixels does not fit into {self.resize}")

    def __call__(self, image: Image.Image) -> NDArray[np.float32]:
        """The pixels (3, crop, crop) of an RGB picture."""
        image = _without_ends(image)
        short = min(image.size)
        width, height = (int(self.resize * side / short) for side in image.size)
        left, top = (width - self.crop) // 2, (height - self.crop) // 2
        resized = image.resize((width, height), Image.Resampling[self.filter.upper()])
        pixels = np.asarray(resized.crop((left, top, left + self.crop, top + self.crop)), np.float32) / 255
        mean, deviation = np.array(self.mean, np.float32), np.array(self.deviation, np.float32)
        return np.ascontiguousarray(((pixels - mean) / deviation).transpose(2, 0, 1))


def _without_ends(image: Image.Image) -> Image.Image:
    """A picture whose longer side is at most ``LONGEST`` times the shorter one; of a longer one both ends are left out.

    Only its middle is cut out in the end, and brought to size whole it would fill a memory.
    """
    most = LONGEST * min(image.size)
    left, top = (max(0, (side - most) // 2) for side in image.size)
    return image.crop((left, top, image.width - left, image.height - top)) if left or top else image


def imagenet(side: int) -> Preprocessing:
    """DreamBooth's preprocessing for DINO, not the published preprocessor's: 256, then 224, or in proportion."""
    return Preprocessing(round(side * 256 / 224), side, IMAGENET_MEAN, IMAGENET_DEVIATION)


@dataclass(frozen=True)
class Identity:
    """Everything that decides a backbone's vectors."""

    name: str
    revision: str  # a hub's commit, or the digest of a folder's files
    preprocessing: Preprocessing
    dtype: str
    version: str  # of the library that runs it

    def record(self) -> dict[str, Any]:
        """The identity as a database and a report keep it."""
        return asdict(self)

    @property
    def digest(self) -> str:
        """A short digest of the identity."""
        return digest_of_facts(self.record())[:24]


class Backbone(ABC):
    """A model with its identity; it is loaded when it is first used."""

    kind: ClassVar[str]  # the name of its ``BackboneKind``

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


def sound(vectors: Vectors) -> NDArray[np.bool_]:
    """Whether each row is finite and of unit length, (N,)."""
    fine: NDArray[np.bool_] = np.abs(np.linalg.norm(vectors, axis=1) - 1) < 1e-3
    return fine
