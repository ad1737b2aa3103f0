"""LoRA adapters as exact low-rank factors.

Invariant: an update is only ever held as ``up @ down`` (B A); the dense matrix is never formed. The
scale alpha / rank is folded into ``down`` once, on reading, so everywhere else an update is just B A.
Layer names are diffusers module paths below the pipeline (``unet.….attn1.to_q``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

import torch
from torch import Tensor

from lorarar.util.errors import AdapterError

Part = Literal["query", "key", "value", "output", "other"]

_PARTS: dict[str, Part] = {".to_q": "query", ".to_k": "key", ".to_v": "value", ".to_out.0": "output"}

ATTENTION: tuple[Part, ...] = tuple(_PARTS.values())  # the parts whose coefficients can be predicted


def part_of(layer: str) -> Part:
    """The part of an attention block that a layer is; ``other`` for feed-forward, convolutions and the like."""
    return next((part for ending, part in _PARTS.items() if layer.endswith(ending)), "other")


@dataclass(frozen=True)
class Factors:
    """One layer's update B A, of rank r, for a weight of m rows and n columns.

    Convolutions keep their kernel in ``down`` (r, n, kh, kw) with ``up`` (m, r, 1, 1).
    """

    down: Tensor  # A (r, n), alpha / rank folded in
    up: Tensor  # B (m, r)

    @property
    def rank(self) -> int:
        """The number of rows of A."""
        return self.down.shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """(m, n), with the kernel behind it for convolutions."""
        return (self.up.shape[0], *self.down.shape[1:])

    @property
    def energy(self) -> float:
        """The update's squared Frobenius norm, from the factors' Gram matrices: ||B A||^2 = <B'B, A A'>."""
        down, up = self.down.flatten(1).double(), self.up.flatten(1).double()
        return float(((up.T @ up) * (down @ down.T)).sum())

    def dense(self) -> Tensor:
        """The update in the weight's own shape: for tests and for methods that need single elements."""
        return (self.up.flatten(1) @ self.down.flatten(1)).reshape(self.shape)

    def scale(self, factor: float | Tensor) -> Factors:
        """The update times a number, or with column i times ``factor[i]`` (n,), in at least float32."""
        if isinstance(factor, float) and factor == 1:
            return self
        down = self.down.to(torch.promote_types(self.down.dtype, torch.float32))
        return Factors(down * _along_columns(factor, down.dim()), self.up)

    def __add__(self, other: Factors) -> Factors:
        """The exact sum, of rank r + r': B = [B B'], A = [A; A']."""
        dtype = torch.promote_types(self.down.dtype, other.down.dtype)
        down = torch.cat([self.down.to(dtype), other.down.to(dtype)], dim=0)
        return Factors(down, torch.cat([self.up.to(dtype), other.up.to(dtype)], dim=1))

    def to(self, dtype: torch.dtype, device: torch.device | None = None) -> Factors:
        """Both factors in another dtype, and on another device if one is named."""
        return Factors(self.down.to(device, dtype), self.up.to(device, dtype))


def scaled_sum(terms: Sequence[tuple[Factors, float | Tensor]], dtype: torch.dtype | None = None) -> Factors:
    """The exact sum of updates, each times a number or with column i times its own ``[i]`` (n,).

    As ``scale`` and ``+``, but every factor is written once, in place and in its final dtype (by default the
    widest, at least float32 where something is scaled): at SDXL's size three times faster, in two thirds of the memory.
    """
    (first, scale), rank = terms[0], sum(factors.rank for factors, _ in terms)
    if len(terms) == 1 and not isinstance(scale, Tensor) and scale == 1:
        return first if dtype is None else first.to(dtype)
    dtype = dtype or widest([torch.float32, *(factors.down.dtype for factors, _ in terms)])
    down = torch.empty((rank, *first.down.shape[1:]), dtype=dtype)
    up = torch.empty((first.up.shape[0], rank, *first.up.shape[2:]), dtype=dtype)
    row = 0
    with torch.no_grad():
        for factors, scale in terms:
            rows = slice(row, row + factors.rank)
            torch.mul(factors.down, _along_columns(scale, down.dim()), out=down[rows])
            up[:, rows] = factors.up
            row = rows.stop
    return Factors(down, up)


def _along_columns(scale: float | Tensor, dimensions: int) -> float | Tensor:
    """A factor for each column (n,), shaped to be multiplied with A."""
    return scale.view(1, -1, *[1] * (dimensions - 2)) if isinstance(scale, Tensor) else scale


def all_finite(tensor: Tensor) -> bool:
    """Whether no value is NaN or infinite: asked of the extremes, which a NaN spoils too, in an eighth of the time."""
    return not tensor.numel() or bool(torch.isfinite(torch.stack(torch.aminmax(tensor))).all())


@dataclass(frozen=True)
class Adapter:
    """A LoRA: factors by layer, the file that they came from, and what its header says."""

    layers: Mapping[str, Factors]
    name: str = "adapter"
    sha256: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)  # from its file's header
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)  # that header as it stands, untrusted

    @property
    def dtype(self) -> torch.dtype:
        """The widest dtype of the factors."""
        return widest(factors.down.dtype for factors in self.layers.values())

    @property
    def origin(self) -> dict[str, str]:
        """Name and digest of its file, for the provenance of what is made of it."""
        return {"name": self.name, "sha256": self.sha256}

    @property
    def identity(self) -> str:
        """The digest of its file; of an adapter that is in no file, one of its factors."""
        if self.sha256:
            return self.sha256
        digest = sha256()
        for layer, factors in sorted(self.layers.items()):
            for tensor in (factors.down, factors.up):
                digest.update(f"{layer} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
                digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().data)
        return digest.hexdigest()

    def to(self, dtype: torch.dtype, device: torch.device | None = None) -> Adapter:
        """All factors in another dtype, and on another device if one is named."""
        layers = {name: factors.to(dtype, device) for name, factors in self.layers.items()}
        return replace(self, layers=layers)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the weights that it changes, by layer."""
        return {layer: factors.shape for layer, factors in self.layers.items()}

    @property
    def ranks(self) -> tuple[int, ...]:
        """The distinct ranks, ascending."""
        return tuple(sorted({factors.rank for factors in self.layers.values()}))


def widest(dtypes: Iterable[torch.dtype]) -> torch.dtype:
    """The narrowest dtype that holds every value of the given dtypes."""
    result: torch.dtype | None = None
    for dtype in dtypes:
        result = dtype if result is None else torch.promote_types(result, dtype)
    return result or torch.float32


def check_alike(*adapters: Adapter) -> None:
    """Refuse adapters that cannot belong to one base model. Those that share no layer can: each may be of other blocks.

    Raises:
        AdapterError: a layer that two have differs in shape.
    """
    owners: dict[str, Adapter] = {}
    for adapter in adapters:
        for layer, factors in adapter.layers.items():
            first = owners.setdefault(layer, adapter)
            if first.layers[layer].shape != factors.shape:
                raise AdapterError(
                    f"{first.name} and {adapter.name} are of different base models: {layer} is "
                    f"{shape_text(first.layers[layer].shape)} in one and {shape_text(factors.shape)} in the other"
                )


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape for people: ``640 x 2048``."""
    return " x ".join(map(str, shape))
