"""Pocket: ten pictures at 25 steps."""

from __future__ import annotations

import time

from lorarar.bases import find_base
from lorarar.generation import Studio


def run() -> str:
    """Measure and describe."""
    with Studio(find_base("pocket"), "cpu") as studio:
        list(studio.draw("a dog", [0], steps=1))
        started = time.perf_counter()
        list(studio.draw("a dog in glowing style", range(10), steps=25, guidance=4.0, batch=10))
        seconds = time.perf_counter() - started
    return f"## Drawing with Pocket\n\nTen pictures at 25 steps with guidance, CPU: {seconds:.2f} s."
