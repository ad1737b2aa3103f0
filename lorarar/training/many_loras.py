"""The LoRAs of a table, one after another, in the layout in which grids and the hypernetwork's training read them.

Below a folder: ``contents/NAME.safetensors`` beside ``contents/NAME/`` with its pictures, and ``styles`` alike. A run
that was stopped goes on inside the LoRA that it was at. One that is there is known by what made it, and one that fails
stops no other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.lora.files import read_provenance
from lorarar.pictures.concept_table import TableConcept
from lorarar.pictures.references import references_folder
from lorarar.training.lesson_copy import check_copy, copy_lesson
from lorarar.training.lesson_files import LessonFiles
from lorarar.training.lora_training import LESSON, LoraTraining
from lorarar.util.errors import AdapterError, ImageError, LorarError, OutputError, TrainingError
from lorarar.util.messages import message

if TYPE_CHECKING:
    from accelerate import Accelerator
    from diffusers import StableDiffusionXLPipeline

#: What can be wrong with one LoRA alone; anything else, a base that cannot be loaded say, stops the run.
OF_ONE_LORA = (AdapterError, ImageError, OutputError, TrainingError)


@dataclass(frozen=True)
class TableTraining:
    """A row of a table and its training."""

    concept: TableConcept
    training: LoraTraining

    @property
    def lesson(self) -> LessonFiles:
        """Its pictures, with what they are bound to."""
        return self.training.lessons[LESSON]

    @property
    def references(self) -> Path:
        """The folder beside the LoRA that its pictures are copied to."""
        return references_folder(self.training.out)

    @classmethod
    def of(cls, concept: TableConcept, pictures: Path, out: Path, like: LoraTraining) -> TableTraining:
        """The training of a row, whose LoRA goes below ``out``.

        Args:
            concept: the row.
            pictures: the folder of its pictures, or its one picture.
            out: the folder of all results.
            like: a training with all that the rows have in common.

        Raises:
            ImageError: there are none, or a caption cannot be read.
        """
        lesson = LessonFiles.find(pictures, concept.prompt)
        place = out / concept.side / f"{concept.name}.safetensors"
        return cls(concept, replace(like, out=place, lessons={LESSON: lesson}, provenance={"prompt": concept.prompt}))


@dataclass(frozen=True)
class TableOutcome:
    """What came of one row."""

    concept: TableConcept
    path: Path
    seconds: float = 0.0  # of this run
    new: bool = False  # whether it was trained in this run
    error: LorarError | None = None  # why there is none

    def record(self) -> dict[str, object]:
        """The outcome for machines."""
        return {
            "name": self.concept.name,
            "side": self.concept.side,
            "split": self.concept.split,
            "prompt": self.concept.prompt,
            "path": None if self.error else str(self.path),
            "new": self.new,
            "seconds": round(self.seconds, 3),
            "error": None if self.error is None else str(self.error),
        }


def train_table(
    trainings: Sequence[TableTraining], accelerator: Accelerator, load: Callable[[], StableDiffusionXLPipeline]
) -> Iterator[TableOutcome]:
    """Train what is not finished of a table, in order.

    Args:
        trainings: the rows.
        accelerator: device, precision and processes.
        load: loads the base; called once, and not before something is to be trained.

    Yields:
        What came of each row.
    """
    pipeline: StableDiffusionXLPipeline | None = None
    for number, row in enumerate(trainings, 1):
        training, started = row.training, time.perf_counter()
        outcome = TableOutcome(row.concept, training.out)
        try:
            check_table_place(row)
            makings = training.makings(accelerator)
            differences = training.differences(makings)
            if differences != []:
                if differences and accelerator.is_main_process:
                    message(
                        f"{training.out} was trained otherwise ({', '.join(differences)}) and is replaced", "yellow"
                    )
                pipeline = pipeline or load()
                training.run(pipeline, accelerator, makings, f"{row.concept.name} ({number} of {len(trainings)})")
                outcome = replace(outcome, new=True, seconds=time.perf_counter() - started)
            if accelerator.is_main_process:
                copy_lesson(row.lesson, row.references)
        except OF_ONE_LORA as error:
            outcome = replace(outcome, error=error)
        yield outcome


def check_table_place(row: TableTraining) -> None:
    """Refuse a place for a LoRA and its pictures that is unsound, or where something else stands already.

    Raises:
        AdapterError, OutputError: as it says.
    """
    row.training.check()
    out = row.training.out
    if out.exists() and "training" not in read_provenance(out):
        raise OutputError(f"{out} was made by no training of lorarar; move it away, or name another -o")
    check_copy(row.lesson, row.references)
