"""Pocket: ten pictures at 25 steps, alone and side by side."""

from __future__ import annotations

import time

from benchmarks.page import ratio, seconds, section, table
from lorarar.families import find_base
from lorarar.generation.studio import Studio

PICTURES = 10


def run(quick: bool = False) -> str:
    """Measure and describe."""
    steps = 2 if quick else 25
    with Studio(find_base("pocket"), "cpu") as studio:
        _draw(studio, PICTURES, 1)
        _draw(studio, 1, 1)
        (alone, one), (together, ten) = (_draw(studio, batch, steps) for batch in (1, PICTURES))
    same = sum(a == b for a, b in zip(alone, together, strict=True))
    return section(
        "Drawing with Pocket",
        f"Ten pictures at {steps} steps with guidance on the CPU, one model in memory, the same ten seeds both ways.",
        table(
            ["batch", "time", "a picture", "faster"],
            [
                ("1", seconds(one), seconds(one / PICTURES), "1 x"),
                ("10", seconds(ten), seconds(ten / PICTURES), ratio(one, ten)),
            ],
        ),
        f"{same} of the ten pictures are the same to the byte both ways. A grid draws with batch 1: then the bytes of "
        "a picture do not depend on its neighbours, and a grid that was cut off goes on to the same files.",
    )


def _draw(studio: Studio, batch: int, steps: int) -> tuple[list[bytes], float]:
    """Pixels of ten pictures, and the seconds they took."""
    started = time.perf_counter()
    drawn = studio.generate("a dog in glowing style", range(PICTURES), steps=steps, guidance=4.0, batch=batch)
    pixels = [picture.image.tobytes() for picture in drawn]
    return pixels, time.perf_counter() - started
