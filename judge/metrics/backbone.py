"""Backbones: models that turn a picture, and some also a text, into one vector of unit length.

Invariant: whatever can change a vector by more than rounding stands in the backbone's identity; the device
does not. The identity is known before the model is loaded, so that what is cached needs no model.
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

from judge.metrics.preprocessing import Patches, Preprocessing, Stretch
from judge.metrics.table import MetricError
from lorarar.util.digest import digest_of_facts

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


Vector = NDArray[np.float32]  # (D,)
Vectors = NDArray[np.float32]  # (N, D), one a row


@dataclass(frozen=True)
class Identity:
    """Everything that decides a backbone's vectors."""

    name: str
    revision: str  # a hub's commit, or the digest of a folder's files
    preprocessing: Preprocessing | Stretch | Patches
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

    def __init__(self, identity: Identity, load: Callable[[], PreTrainedModel]) -> None:
        self.identity, self._load = identity, load

    @cached_property
    def model(self) -> PreTrainedModel:
        """The loaded model.

        Raises:
            MetricError: it cannot be loaded.
        """
        return self._load()

    def images(self, pictures: Sequence[Image.Image]) -> Vectors:
        """Vectors of RGB pictures, as one batch; a row is of no length or not finite where the model fails."""
        import torch

        preprocessing: Any = self.identity.preprocessing
        pixels = torch.from_numpy(np.stack([preprocessing(picture) for picture in pictures]))
        with torch.no_grad():
            return unit(self.see(pixels.to(self.model.device, self.model.dtype)))

    @abstractmethod
    def see(self, pixels: Tensor) -> Tensor:
        """Features (N, D) of preprocessed pictures (N, 3, H, W)."""

    def texts(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, as one batch.

        Raises:
            MetricError: the backbone takes pictures alone.
        """
        raise MetricError(f"{self.identity.name} takes pictures alone; a prompt is measured by a CLIP or a SigLIP")


def unit(features: Tensor) -> Vectors:
    """Features (N, D) of any length as vectors of unit length."""
    from torch.nn.functional import normalize

    vectors: Vectors = normalize(features.float(), dim=1).cpu().numpy()
    return vectors


def sound(vectors: Vectors) -> NDArray[np.bool_]:
    """Whether each row is finite and of unit length, (N,)."""
    fine: NDArray[np.bool_] = np.abs(np.linalg.norm(vectors, axis=1) - 1) < 1e-3
    return fine
