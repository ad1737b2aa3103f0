"""The paper's own figures (arXiv 2412.05148), on SDXL with LLaVA-Critic-7B, to stand beside ours, never among them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """The paper's figures of one method."""

    average: float  # Table 1
    best: float
    clip_i: float  # Table A2
    dino: float
    clip_t: float
    attempts: float | None = None  # Table 2 and Section 5.3


PUBLISHED = {
    "joint": Published(average=0.53, best=0.84, clip_i=0.623, dino=0.764, clip_t=0.329),
    "direct": Published(average=0.40, best=0.76, clip_i=0.657, dino=0.747, clip_t=0.305),
    "dare": Published(average=0.34, best=0.72, clip_i=0.630, dino=0.576, clip_t=0.360),
    "ties": Published(average=0.43, best=0.80, clip_i=0.620, dino=0.592, clip_t=0.358),
    "dare-ties": Published(average=0.30, best=0.60, clip_i=0.618, dino=0.559, clip_t=0.355),
    "ziplora": Published(average=0.58, best=1.00, clip_i=0.643, dino=0.741, clip_t=0.334, attempts=2.55),
    "lorarar": Published(average=0.71, best=1.00, clip_i=0.656, dino=0.643, clip_t=0.344, attempts=2.28),
}
