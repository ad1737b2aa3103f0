"""The paper's own figures (arXiv 2412.05148), on SDXL with LLaVA-Critic-7B: shown beside ours, never among them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """What the paper reports of one method."""

    average: float  # Table 1
    best: float
    clip_i: float  # Table A2
    dino: float
    clip_t: float
    attempts: float | None = None  # Table 2 and Section 5.3


PUBLISHED = {
    "joint": Published(0.53, 0.84, 0.623, 0.764, 0.329),
    "direct": Published(0.40, 0.76, 0.657, 0.747, 0.305),
    "dare": Published(0.34, 0.72, 0.630, 0.576, 0.360),
    "ties": Published(0.43, 0.80, 0.620, 0.592, 0.358),
    "dare-ties": Published(0.30, 0.60, 0.618, 0.559, 0.355),
    "ziplora": Published(0.58, 1.00, 0.643, 0.741, 0.334, 2.55),
    "lorarar": Published(0.71, 1.00, 0.656, 0.643, 0.344, 2.28),
}
