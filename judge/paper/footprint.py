"""What merging one pair takes: seconds, learnt numbers, memory; each method in a process of its own.

The process loads the base and draws a picture, as whoever draws does anyway; then it merges, and what memory it takes
beyond that is the method's. On a GPU it is the memory there, else the process's resident memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from judge.paper.errors import PaperError
from lorarar.util.files import sha256_of

if TYPE_CHECKING:
    from judge.paper.work import PaperWork
    from lorarar.bench.cells import Pair
    from lorarar.bench.plan import MethodRow, Plan
    from lorarar.families import Base
    from lorarar.generation.studio import Studio
    from lorarar.pictures.concepts import Concept

STATUS = Path("/proc/self/status")  # of this process, where the system has it
AGAIN = 5  # merges after the first, of which the quickest counts
MEGABYTE = 1e6
KEEPER = "table-2"  # the item among whose things footprints are kept, whichever item asked first


@dataclass(frozen=True)
class MergeFootprint:
    """What one pair's merge takes."""

    seconds: float  # the first time, trainings included
    again: float | None  # the quickest of further ones; None of a method that trains for the pair
    learnt: int | None  # numbers that were learnt before or for it; None of a method that learns nothing
    memory: int  # bytes beyond the base and a picture being drawn
    pair: str


def kept_footprint(work: PaperWork, plan: Plan, row: MethodRow) -> MergeFootprint:
    """What a row of a plan takes, measured once for all items, wherever the LoRAs of its pair lie.

    Raises:
        PaperError, LorarError: as ``measure``.
    """
    base = plan.find_base()
    network = network_of(row, base)
    facts = {
        "row": row.model_dump(mode="json", exclude={"hypernet"}),
        "base": plan.base,
        "loras": [concept.adapter.sha256 for concept in _first_concepts(plan, base)],
        "network": network and sha256_of(network),
        "device": plan.pictures.device,
    }
    keeper = replace(work, item=KEEPER)
    return MergeFootprint(**keeper.kept(row.row_name, facts, lambda: measure(plan, row.row_name)))


def measure(plan: Plan, row: str) -> dict[str, Any]:
    """The footprint of a plan's row on its first pair, as a record, in a process of its own.

    Raises:
        PaperError: the process ended without one.
        LorarError: as of drawing and merging.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        try:
            return pool.submit(measure_here, plan, row).result()
        except BrokenProcessPool:
            raise PaperError(f"the process that merged by {row} ended early; is there enough memory?") from None


def measure_here(plan: Plan, name: str) -> dict[str, Any]:
    """The same in this process, whose memory other work may have taken before."""
    from lorarar.generation.studio import Studio

    base = plan.find_base()
    row = next(row for row in plan.methods if row.row_name == name)
    settings = plan.pictures
    with (
        TemporaryDirectory() as folder,
        Studio(base, settings.device, dtype=settings.dtype, offload=settings.offload) as studio,
    ):
        pair = _first_pair(plan, row)
        studio.generate(pair.prompt(settings.templates[0]), [0], **settings.options)
        before = _peak()
        seconds, merge = _timed(lambda: _merge(pair, plan, studio, Path(folder)))
        memory = max(_peak() - before, 0)
        again = None if row.trains else min(_timed(merge)[0] for _ in range(AGAIN))
        footprint = MergeFootprint(seconds, again, _learnt(pair, plan, Path(folder)), memory, pair.name)
    return asdict(footprint)


def network_of(row: MethodRow, base: Base) -> Path | None:
    """The hypernetwork of a row, also where it gives its name alone; None of a method without one.

    Raises:
        MethodError: as of ``Recipe``.
    """
    if row.method != "lorarar":
        return None
    network: Path | None = row.recipe(base).options.get("hypernet", base.hypernet)
    return network


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    made = work()
    return time.perf_counter() - started, made


def _first_pair(plan: Plan, row: MethodRow) -> Pair:
    """The pair of a plan's first content and style under a row."""
    from lorarar.bench.cells import pairs_of
    from lorarar.training.place import TrainingPlace

    base = plan.find_base()
    accelerator = TrainingPlace(plan.pictures.device, plan.precision).accelerator() if row.trains else None
    return pairs_of(row, base, [_first_concepts(plan, base)], accelerator)[0]


def _first_concepts(plan: Plan, base: Base) -> tuple[Concept, Concept]:
    """A plan's first content and style."""
    return plan.contents.read(base)[0], plan.styles.read(base)[0]


def _merge(pair: Pair, plan: Plan, studio: Studio, folder: Path) -> Callable[[], Any]:
    """Merge a pair, after its training where its row has one; what comes back merges once more."""
    from lorarar.bench.adapters import merge_for_pair, merge_in_memory, train_pair
    from lorarar.generation.denoisers.table import denoiser_of
    from lorarar.merging.projection_cache import ProjectionCache
    from lorarar.training.place import TrainingPlace
    from lorarar.training.setup import load_for_training

    base = studio.base
    if pair.row.trains:
        accelerator = TrainingPlace(plan.pictures.device, plan.precision).accelerator()
        on_cpu = denoiser_of(studio.pipeline).device.type == "cpu"  # where the base serves both
        pipeline = studio.pipeline if on_cpu else load_for_training(base, accelerator)
        train_pair(pair, base, folder, pipeline, accelerator, f"{pair.row.row_name} {pair.name}")
        merge_for_pair(pair, base, folder, ProjectionCache(), plan.admission, studio)
        return lambda: None
    recipe = pair.recipe(base)

    def merge() -> object:
        return merge_in_memory(pair, recipe, studio, folder)  # calibrated anew, whatever the cache has

    merge()
    return merge


def _learnt(pair: Pair, plan: Plan, folder: Path) -> int | None:
    """How many numbers were learnt for a pair, or before for all of them."""
    from safetensors import safe_open

    from lorarar.bench.adapters import trained_file
    from lorarar.merging.hypernet_file import read_hypernet

    if pair.row.trains:
        with safe_open(trained_file(pair, folder), "pt") as file:
            return sum(int(file.get_tensor(name).numel()) for name in file.keys())
    file = network_of(pair.row, plan.find_base())
    if file is None:
        return None
    network: Any = read_hypernet(file)
    return sum(int(parameter.numel()) for parameter in network.parameters())


def _peak() -> int:
    """The most memory that was taken so far, in bytes: on a GPU where it draws, else resident."""
    import torch

    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return int(torch.cuda.max_memory_allocated())
    if STATUS.exists():
        lines = (line.split() for line in STATUS.read_text().splitlines())
        return next(int(words[1]) * 1024 for words in lines if words[0] == "VmHWM:")
    return _peak_elsewhere()


def _peak_elsewhere() -> int:
    """The same where no file says it; of a process that was made by another it may be that one's."""
    import resource
    import sys

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
