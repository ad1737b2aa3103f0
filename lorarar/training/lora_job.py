"""The training of one LoRA, on a worker."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lorarar.families.relocation import relocated
from lorarar.training.crew_training import TrainingBytes, check_surroundings, state_parcel, trained_bytes
from lorarar.training.lora_training import LoraTraining
from lorarar.training.makings import Facts
from lorarar.training.place import Surroundings, TrainingPlace, surroundings
from lorarar.workers.job import Job
from lorarar.workers.parcel import Parcel
from lorarar.workers.workbench import Workbench


@dataclass(frozen=True)
class LoraTrainingJob(Job[TrainingBytes]):
    """Train a LoRA."""

    number: int  # by which whoever gave it knows it
    training: LoraTraining  # as it is where its file goes
    makings: Facts  # of the training, in these surroundings
    surroundings: Surroundings
    place: TrainingPlace
    pictures: Mapping[Path, Parcel]
    state: Parcel | None

    @classmethod
    def of(
        cls, number: int, training: LoraTraining, makings: Facts, surroundings: Surroundings, place: TrainingPlace
    ) -> LoraTrainingJob:
        """The job of a training.

        Raises:
            OSError: a picture cannot be read.
        """
        pictures = {path: Parcel.of(path) for lesson in training.lessons.values() for path in lesson.pictures}
        return cls(number, training, makings, surroundings, place, pictures, state_parcel(training.checkpoint))

    @property
    def parcels(self) -> tuple[Parcel, ...]:
        return *self.pictures.values(), *((self.state,) if self.state else ())

    def run(self, bench: Workbench) -> Iterator[TrainingBytes]:
        from lorarar.training.setup import load_for_training

        if bench.is_stopped:
            return
        started, accelerator = time.perf_counter(), self.place.accelerator()
        check_surroundings(surroundings(accelerator), self.surroundings)
        training = self._here(bench)
        training.out.parent.mkdir(parents=True, exist_ok=True)

        def train() -> None:
            key = ("to train", training.base, self.place)
            pipeline = bench.hold(key, lambda: load_for_training(training.base, accelerator))
            training.run(pipeline, accelerator, self.makings)

        outcome = trained_bytes(train, training.out, training.checkpoint, self.state, bench)
        samples = _taken_samples(training)
        yield replace(outcome, samples=samples, seconds=time.perf_counter() - started)

    def _here(self, bench: Workbench) -> LoraTraining:
        """The training with its files as they lie on a worker."""
        places = {path: bench.place(parcel) for path, parcel in self.pictures.items()}
        lessons = {
            name: replace(lesson, pictures=tuple(places[path] for path in lesson.pictures))
            for name, lesson in self.training.lessons.items()
        }
        out = bench.folder / "out" / f"{self.number}" / self.training.out.name
        return replace(self.training, out=out, lessons=lessons, base=relocated(self.training.base))


def _taken_samples(training: LoraTraining) -> tuple[tuple[str, bytes], ...]:
    """The pictures that were drawn meanwhile, which are then gone here."""
    sampling = training.sampling
    files = sorted(sampling.folder.glob("*")) if sampling is not None else []
    samples = tuple((file.name, file.read_bytes()) for file in files)
    for file in files:
        file.unlink()
    return samples
