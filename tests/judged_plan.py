"""A plan on the tiny base that was drawn and judged: 2 contents x 2 styles x 2 rows x 2 seeds."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from lorarar.bench.plan import read_plan
from lorarar.bench.run import run_plan
from lorarar.lora.files import write_adapter
from lorarar.pictures.images import write_png
from lorarar.store import Store

from .conftest import random_adapter

POOL = """
title = "pool"
base = "{base}"
[contents]
folder = "contents"
[styles]
folder = "styles"
[pictures]
seeds = 2
steps = 1
guidance = 1.0
batch = 2
{more}
[[methods]]
method = "direct"
[[methods]]
method = "direct"
name = "half"
weights = [0.5, 0.5]
"""


def draw_pool(folder: Path, base: Path, more: str = "") -> Path:
    """Draw the plan into a folder; its database lies there as ``pool.db``, with paths relative to it.

    ``more`` is what else the plan says.
    """
    for side, count in (("contents", 2), ("styles", 2)):
        for number in range(count):
            name = f"{side[0]}{number}"
            adapter = random_adapter(2, number + 10 * (side == "styles"), strength=0.2)
            prompt = f"a sks dog{number}" if side == "contents" else f"a house in look{number} style"
            write_adapter(adapter, folder / side / f"{name}.safetensors", {"prompt": prompt})
            write_png(Image.new("RGB", (16, 16), (90 * number, 90, 20)), folder / side / name / "1.png")
    (folder / "pool.toml").write_text(POOL.format(base=base, more=more), encoding="utf-8")
    with Store(folder / "pool.db") as store:
        run_plan(read_plan(folder / "pool.toml"), store, folder / "out")
    return folder / "pool.db"
