"""The training of one pair, on a worker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lorarar.bench.adapters import train_pair, trained_file
from lorarar.bench.crew.pair_parcel import PairParcel
from lorarar.families import Base
from lorarar.families.relocation import relocated
from lorarar.lora.admission import Admission
from lorarar.training.crew_training import TrainingBytes, check_surroundings, trained_bytes
from lorarar.training.out_of_memory import memory_in_one_line
from lorarar.training.place import Surroundings, TrainingPlace, surroundings
from lorarar.util.files import checkpoint_beside
from lorarar.workers.job import Job
from lorarar.workers.parcel import Parcel
from lorarar.workers.workbench import Workbench


@dataclass(frozen=True)
class PairTrainingJob(Job[TrainingBytes]):
    """Train what a pair's row needs."""

    number: int  # by which whoever gave it knows it
    base: Base  # at its commit
    place: TrainingPlace
    surroundings: Surroundings  # that decided the pair's ``training``
    admission: Admission
    pair: PairParcel
    state: Parcel | None

    @property
    def parcels(self) -> tuple[Parcel, ...]:
        return *self.pair.parcels, *((self.state,) if self.state else ())

    def run(self, bench: Workbench) -> Iterator[TrainingBytes]:
        from lorarar.training.setup import load_for_training

        if bench.is_stopped:
            return
        started = time.perf_counter()
        base, out, accelerator = relocated(self.base), bench.folder / "out", self.place.accelerator()
        check_surroundings(surroundings(accelerator), self.surroundings)
        pair = self.pair.unpack(bench, base, self.admission, out)
        path, title = trained_file(pair, out), f"{pair.row.row_name} {pair.name}"

        def train() -> None:
            with memory_in_one_line(pair.row.options, accelerator):
                key = ("to train", base, self.place)
                pipeline = bench.hold(key, lambda: load_for_training(base, accelerator))
                train_pair(pair, base, out, pipeline, accelerator, title)

        outcome = trained_bytes(train, path, checkpoint_beside(path), self.state, bench)
        yield replace(outcome, seconds=time.perf_counter() - started)
