"""Files of random tensors of any size, written piece by piece: no tensor is ever in memory as a whole.

All numbers come from one block of normal noise, begun anywhere and scaled, so that a file of 15 GB is written about as
fast as the disk takes it. The same names, shapes and seed give the same file.
"""

from __future__ import annotations

import json
import os
import random
import struct
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from math import prod
from pathlib import Path
from typing import cast

import torch
from torch import Tensor
from typing_extensions import Buffer

from lorarar.util.files import replacing

BLOCK = (1 << 24) + 1  # numbers of noise; odd, so that rows of a matrix do not repeat
PIECE = 1 << 23  # numbers that are written at once
DTYPES = {torch.float16: "F16", torch.bfloat16: "BF16", torch.float32: "F32"}


@dataclass(frozen=True)
class RandomTensor:
    """A tensor of normal numbers about a centre."""

    shape: tuple[int, ...]
    spread: float  # standard deviation
    centre: float = 0.0

    @classmethod
    def like(cls, name: str, tensor: Tensor) -> RandomTensor:
        """What keeps the activations of a model finite in half precision, for a weight of that name and shape.

        Norms scale by one, offsets are nought, embeddings are small, and each output of a layer is as large as its
        inputs are.
        """
        shape = tuple(tensor.shape)
        if len(shape) < 2:
            is_vector = name.endswith(("class_embedding", "image_newline"))
            return cls(shape, 0.02 if is_vector else 0.0, 0.0 if is_vector or name.endswith("bias") else 1.0)
        embedded = ("token_embedding", "embed_tokens", "position_embedding", "positional_embedding")
        return cls(shape, 0.02 if any(part in name for part in embedded) else prod(shape[1:]) ** -0.5)

    @property
    def count(self) -> int:
        """How many numbers."""
        return prod(self.shape)


@dataclass(frozen=True)
class Piece:
    """Some numbers of a file: where they go, and how they are drawn."""

    offset: int  # bytes from the file's start
    count: int
    start: int  # in the block of noise
    spread: float
    centre: float


def write_random(
    file: Path, tensors: Mapping[str, RandomTensor], dtype: torch.dtype, metadata: Mapping[str, str] | None = None
) -> Path:
    """Write a safetensors file of random tensors; it appears whole or not at all, and one that is there stays."""
    if file.exists():
        return file
    header, pieces = _header(tensors, dtype, metadata or {}), _pieces(tensors, dtype.itemsize, file.name)
    with replacing(file) as partial, partial.open("r+b") as opened:
        opened.write(header)
        opened.truncate(len(header) + sum(tensor.count for tensor in tensors.values()) * dtype.itemsize)
        opened.flush()

        def write(piece: Piece) -> None:
            os.pwrite(opened.fileno(), _bytes(piece, dtype), len(header) + piece.offset)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(write, pieces))
    return file


def _header(tensors: Mapping[str, RandomTensor], dtype: torch.dtype, metadata: Mapping[str, str]) -> bytes:
    """The header of a safetensors file: its length in eight bytes, and JSON that says where each tensor lies."""
    table: dict[str, object] = {"__metadata__": {"format": "pt", **metadata}}
    end = 0
    for name, tensor in tensors.items():
        start, end = end, end + tensor.count * dtype.itemsize
        table[name] = {"dtype": DTYPES[dtype], "shape": tensor.shape, "data_offsets": [start, end]}
    text = json.dumps(table).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def _pieces(tensors: Mapping[str, RandomTensor], size: int, seed: str) -> Iterator[Piece]:
    """The numbers of all tensors in order, each ``size`` bytes."""
    dice, offset = random.Random(seed), 0
    for tensor in tensors.values():
        for first in range(0, tensor.count, PIECE):
            count = min(PIECE, tensor.count - first)
            yield Piece(offset, count, dice.randrange(BLOCK - count), tensor.spread, tensor.centre)
            offset += count * size


def _bytes(piece: Piece, dtype: torch.dtype) -> Buffer:
    noise = _noise(dtype)[piece.start : piece.start + piece.count]
    numbers = noise * piece.spread + piece.centre if piece.spread else torch.full_like(noise, piece.centre)
    return cast(Buffer, numbers.view(torch.uint8).numpy())


@cache
def _noise(dtype: torch.dtype) -> Tensor:
    return torch.randn(BLOCK, generator=torch.Generator().manual_seed(0)).to(dtype)
