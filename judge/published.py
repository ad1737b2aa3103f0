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
