"""Options of each training; nothing heavy is imported here, so that a plan is read at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from lorarar.lora.adapter import Part
from lorarar.merging.hypernet import KeyValue
from lorarar.util.seeds import LARGEST

Fidelity = Literal["l2", "mse"]
Regulariser = Literal["dot", "cosine"]
Count = Annotated[int, Field(ge=1)]  # a plan's values are checked against these; the command line checks its own
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0, le=LARGEST)]


@dataclass(frozen=True)
class LoraOptions:
    """Options of a LoRA's training; the defaults are the paper's (Section A1.3)."""

    rank: Count = 64
    steps: Count = 1000
    rate: Rate = 5e-5
    batch: Count = 1
    seed: Seed = 0
    mirrored: bool = False  # also mirror images, half of the time


@dataclass(frozen=True)
class HypernetOptions:
    """Options of a hypernetwork's training; the defaults are the paper's (Sections 3.3, 3.4, A1.3)."""

    hidden: Count = 128
    parts: tuple[Part, ...] = ("query", "output")
    key_value: KeyValue = "mean"
    fidelity: Fidelity = "l2"
    regulariser: Regulariser = "dot"
    strength: float = 0.01  # lambda of Eq. 3
    steps: Count = 5000
    rate: Rate = 0.01
    batch: Count = 1  # noisy latents of content, and as many of style, a step
    seed: Seed = 0


@dataclass(frozen=True)
class ZipOptions:
    """Options of ZipLoRA's optimisation; steps, rate and lambda are the paper's (Section A1.3).

    The regulariser is the cosine, not Eq. 3's plain dot product: over a thousand columns that starts near a
    thousand, outweighs the fidelity terms at any lambda of this size, and in 100 steps pulls all coefficients
    alike to a fraction of themselves.
    """

    steps: Count = 100
    rate: Rate = 0.01
    batch: Count = 1  # noisy latents of content, and as many of style, a step
    fidelity: Fidelity = "l2"
    regulariser: Regulariser = "cosine"
    strength: float = 0.01  # lambda
    seed: Seed = 0
