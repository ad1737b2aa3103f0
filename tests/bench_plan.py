"""A small plan on the tiny base, and its runs."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image

from lorarar.bench.outcome import GridOutcome
from lorarar.bench.plan import read_plan
from lorarar.bench.run import run_plan
from lorarar.lora.files import write_adapter
from lorarar.merging.hypernet import Hypernetwork
from lorarar.merging.hypernet_file import write_hypernet
from lorarar.pictures.images import write_png
from lorarar.store import Store
from lorarar.util.shard import Shard

from .conftest import random_adapter

PLAN = """
base = "{base}"
[contents]
folder = "contents"
[styles]
folder = "styles"
[pictures]
seeds = 3
steps = 2
guidance = 2.0
batch = {batch}
[[methods]]
method = "direct"
[[methods]]
method = "direct"
name = "average"
weights = [0.5, 0.5]
[[methods]]
method = "lorarar"
hypernet = "hypernet.safetensors"
"""
TRAINED = """
[[methods]]
method = "ziplora"
steps = 2
[[methods]]
method = "joint"
rank = 2
steps = 2
rate = 1e-2
"""


def write_plan(folder: Path, base: Path) -> Path:
    """A plan of 3 rows x 2 contents x 1 style x 3 seeds, with all that it needs."""
    for side, count in (("contents", 2), ("styles", 1)):
        for number in range(count):
            adapter = random_adapter(2, number + 10 * (side == "styles"), strength=0.2)
            prompt = "a sks dog" if side == "contents" else "a house in glowing style"
            write_adapter(adapter, folder / side / f"{side[0]}{number}.safetensors", {"prompt": prompt})
            write_png(Image.new("RGB", (16, 16), (90 * number, 90, 20)), folder / side / f"{side[0]}{number}" / "1.png")
    torch.manual_seed(0)
    write_hypernet(Hypernetwork((16, 32)), folder / "hypernet.safetensors")
    path = folder / "plan.toml"
    path.write_text(PLAN.format(base=base, batch=1))
    return path


def pictures(folder: Path) -> dict[str, bytes]:
    """The pictures below a folder by their path in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.png"))}


def run(
    plan_file: Path, out: Path, db: str = "a.db", shard: Shard | None = None, before: Path | None = None
) -> GridOutcome:
    """Run a plan, or a share of it, on a database beside it."""
    with Store(plan_file.parent / db) as store:
        return run_plan(read_plan(plan_file), store, out, shard, before=before)
