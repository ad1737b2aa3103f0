"""LoRA adapters as exact low-rank factors.

Invariant: an update is only ever held as ``up @ down`` (B A); the dense matrix is never formed. The
scale alpha / rank is folded into ``down`` once, on reading, so everywhere else an update is just B A.
Numbers are rounded to half precision once, in the end, and neither half out of its range (``half_exponent``).
Layer names are diffusers module paths below the pipeline (``unet.….attn1.to_q``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

import torch
from torch import Tensor

from lorarar.util.errors import AdapterError

Part = Literal["query", "key", "value", "output", "feed-forward", "other"]
_PARTS: dict[str, Part] = {
    ".to_q": "query",
    ".to_k": "key",
    ".to_v": "value",
    ".to_out.0": "output",
    ".ff.net.0.proj": "feed-forward",
    ".ff.net.2": "feed-forward",
    ".add_q_proj": "query",
    ".add_k_proj": "key",
    ".add_v_proj": "value",
    ".to_add_out": "output",
    ".to_qkv_mlp_proj": "query",  # of FLUX.2's blocks of one stream, whose keys, values and more see the same columns
    ".attn.to_out": "output",  # of those: of attention and feed-forward together
    **dict.fromkeys(
        (
            *(f".ff{stream}.{layer}" for stream in ("", "_context") for layer in ("linear_in", "linear_out")),
            *(f".{ff}.{layer}" for ff in ("ff_context", "img_mlp", "txt_mlp") for layer in ("net.0.proj", "net.2")),
            *(f".feed_forward.w{number}" for number in (1, 2, 3)),
        ),
        "feed-forward",
    ),
}

ATTENTION: tuple[Part, ...] = ("query", "key", "value", "output")
PREDICTABLE: tuple[Part, ...] = (*ATTENTION, "feed-forward")  # the parts whose coefficients a hypernetwork can predict


def part_of(layer: str) -> Part:
    """The part of a transformer block that a layer is; ``other`` for convolutions, text encoders and the like."""
    return next((part for ending, part in _PARTS.items() if layer.endswith(ending)), "other")


@dataclass(frozen=True)
class Factors:
    """One layer's update B A, of rank r, for a weight of m rows and n columns.

    Convolutions keep their kernel in ``down`` (r, n, kh, kw) with ``up`` (m, r, 1, 1).
    """

    down: Tensor  # A (r, n), alpha / rank folded in
    up: Tensor  # B (m, r)

    def __repr__(self) -> str:
        """Its rank, shape and dtype, without its numbers."""
        dtype = str(self.down.dtype).removeprefix("torch.")
        return f"Factors(rank {self.rank}, {' x '.join(map(str, self.shape))}, {dtype})"

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
        dtype = widest((self.down.dtype, self.up.dtype))
        return (self.up.flatten(1).to(dtype) @ self.down.flatten(1).to(dtype)).reshape(self.shape)

    def scale(self, factor: float | Tensor) -> Factors:
        """The update times a number, one for each column (n,), or one for each row of A (r, 1), in at least float32."""
        if isinstance(factor, float) and factor == 1:
            return self
        down = self.down.to(torch.promote_types(self.down.dtype, torch.float32))
        return Factors(down * _along_down(factor, down.dim()), self.up)

    def __add__(self, other: Factors) -> Factors:
        """The exact sum, of rank r + r': B = [B B'], A = [A; A']."""
        dtype = widest((self.down.dtype, self.up.dtype, other.down.dtype, other.up.dtype))
        down = torch.cat([self.down.to(dtype), other.down.to(dtype)], dim=0)
        return Factors(down, torch.cat([self.up.to(dtype), other.up.to(dtype)], dim=1))

    def to(self, dtype: torch.dtype, device: torch.device | None = None) -> Factors:
        """Both factors in another dtype, and on another device if one is named."""
        down, up = self.down, self.up
        if dtype == torch.float16 and (exponent := half_exponent(down, up)):
            down, up = down.float() * 2.0**exponent, up.float() * 2.0**-exponent
        return Factors(down.to(device, dtype), up.to(device, dtype))


def scaled_sum(terms: Sequence[tuple[Factors, float | Tensor]], dtype: torch.dtype | None = None) -> Factors:
    """The exact sum of updates, each times a number, one for each column (n,), or one for each row of A (r, 1).

    As ``scale`` and ``+``, but every factor is written once, in place and in its final dtype (by default the
    widest, at least float32 where something is scaled): at SDXL's size three times faster, in two thirds of the memory.
    """
    (first, scale), rank = terms[0], sum(factors.rank for factors, _ in terms)
    if len(terms) == 1 and not isinstance(scale, Tensor) and scale == 1:
        return first if dtype is None else first.to(dtype)
    dtype = dtype or widest(
        [torch.float32, *(half.dtype for factors, _ in terms for half in (factors.down, factors.up))]
    )
    down = first.down.new_empty((rank, *first.down.shape[1:]), dtype=dtype)
    up = first.up.new_empty((first.up.shape[0], rank, *first.up.shape[2:]), dtype=dtype)
    row = 0
    with torch.no_grad():
        for factors, scale in terms:
            rows = slice(row, row + factors.rank)
            if dtype == torch.float16:  # what either half is rounded to depends on both
                narrow = factors.scale(scale).to(dtype)
                down[rows], up[:, rows] = narrow.down, narrow.up
            else:
                torch.mul(factors.down, _along_down(scale, down.dim()), out=down[rows])
                up[:, rows] = factors.up
            row = rows.stop
    return Factors(down, up)


def half_exponent(down: Tensor, up: Tensor) -> int:
    """The power of two that A takes over from B, for float16 to hold both; 0 where it does.

    Below 2^-14 it has fewer digits the smaller a number is, and below 2^-25 none; from 65520 on it is infinite.
    Trainers keep both halves within by an alpha, which is folded in here.
    """
    if down.dtype == up.dtype == torch.float16:
        return 0
    sizes = [float(torch.linalg.vector_norm(half, dtype=torch.float64)) / half.numel() ** 0.5 for half in (down, up)]
    if not all(0 < size < float("inf") for size in sizes):
        return 0
    largest = max(float(extreme) for half in (down, up) for extreme in map(torch.abs, torch.aminmax(half)))
    if min(sizes) >= 2.0**-14 and largest <= torch.finfo(torch.float16).max:
        return 0
    return round((math.log2(sizes[1]) - math.log2(sizes[0])) / 2)


def _along_down(scale: float | Tensor, dimensions: int) -> float | Tensor:
    """A factor for each column (n,) or each row (r, 1), shaped to be multiplied with A."""
    if not isinstance(scale, Tensor):
        return scale
    lines = scale.shape if scale.dim() > 1 else (1, *scale.shape)
    return scale.view(*lines, *[1] * (dimensions - 2))


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
    family: str = ""  # whose layers they are, by name, where that was said; else ``family_of_adapter`` tells it
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)  # that header as it stands, untrusted
    stored: torch.dtype | None = None  # the widest of its file's factors, which may be wider here
    remarks: tuple[str, ...] = ()  # what a user has to know of how it was read

    def __repr__(self) -> str:
        """Its name, and how many layers of which ranks it has."""
        ranks = ", ".join(map(str, self.ranks)) or "none"
        return f"Adapter({self.name}: {len(self.layers)} layers of rank {ranks})"

    @property
    def dtype(self) -> torch.dtype:
        """The dtype it is written in where none is asked for: the widest of its file's factors, else of its own."""
        return self.stored or widest(half.dtype for f in self.layers.values() for half in (f.down, f.up))

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
        return replace(self, layers=layers, stored=None)

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
