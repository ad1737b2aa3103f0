"""The paper's own figures (arXiv 2412.05148), on SDXL with LLaVA-Critic-7B, to stand beside ours, never among them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """The paper's MARS2 of one method."""

    average: float  # Table 1
    best: float
    attempts: float | None = None  # Table 2 and Section 5.3


PUBLISHED = {
    "joint": Published(average=0.53, best=0.84),
    "direct": Published(average=0.40, best=0.76),
    "dare": Published(average=0.34, best=0.72),
    "ties": Published(average=0.43, best=0.80),
    "dare-ties": Published(average=0.30, best=0.60),
    "ziplora": Published(average=0.58, best=1.00, attempts=2.55),
    "lorarar": Published(average=0.71, best=1.00, attempts=2.28),
}


def _table_a2(*figures: float) -> dict[str, float]:
    """A column of Table A2, a figure a method."""
    return dict(zip(PUBLISHED, figures, strict=True))


CLIP_I = _table_a2(0.623, 0.657, 0.630, 0.620, 0.618, 0.643, 0.656)
DINO = _table_a2(0.764, 0.747, 0.576, 0.592, 0.559, 0.741, 0.643)
CLIP_T = _table_a2(0.329, 0.305, 0.360, 0.358, 0.355, 0.334, 0.344)


@dataclass(frozen=True)
class Footprint:
    """What merging a pair takes (Table 2), on one NVIDIA 4090."""

    seconds: float  # to predict or to optimise the coefficients
    parameters: float
    memory: float  # bytes beyond the generative model's


FOOTPRINTS = {
    "ziplora": Footprint(seconds=158, parameters=1.5e6, memory=4e9),
    "lorarar": Footprint(seconds=0.037, parameters=0.49e6, memory=0),
}
KOALA = {"ziplora": Published(average=0.51, best=0.84), "lorarar": Published(average=0.56, best=0.92)}  # Table 3
PARTS = {  # Table A3: by the parts whose coefficients are predicted, on the validation cells
    ("key",): Published(0.28, 0.75),
    ("value",): Published(0.43, 0.83),
    ("query",): Published(0.28, 0.75),
    ("output",): Published(0.39, 0.83),
    ("key", "value"): Published(0.40, 0.92),
    ("query", "key"): Published(0.31, 0.75),
    ("key", "output"): Published(0.44, 0.75),
    ("query", "value"): Published(0.42, 0.83),
    ("query", "output"): Published(0.48, 0.92),
    ("value", "output"): Published(0.29, 0.58),
    ("query", "key", "value"): Published(0.41, 0.83),
    ("query", "value", "output"): Published(0.23, 0.33),
    ("query", "key", "output"): Published(0.49, 0.83),
    ("key", "value", "output"): Published(0.29, 0.50),
    ("query", "key", "value", "output"): Published(0.23, 0.50),
}
NEW_CONCEPTS = {"ziplora": 0.6, "lorarar": 0.8}  # A2.5, MARS2 on three new subjects in a new style
