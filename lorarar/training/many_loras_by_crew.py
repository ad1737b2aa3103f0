"""The LoRAs of a table, several at a time, each by a worker; files and states come back and are written here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

from lorarar.pictures.images import write_picture
from lorarar.training.crew_training import TrainingBytes, TrainingSurroundingsJob
from lorarar.training.lesson_copy import copy_lesson
from lorarar.training.lora_job import LoraTrainingJob
from lorarar.training.lora_training import LoraTraining
from lorarar.training.many_loras import OF_ONE_LORA, TableOutcome, TableTraining, check_table_place
from lorarar.training.place import Surroundings, TrainingPlace
from lorarar.util.errors import ImageError, LorarError
from lorarar.util.interrupts import held_interrupt
from lorarar.util.messages import message
from lorarar.workers.crew import Crew
from lorarar.workers.errors import DeadlyJobError
from lorarar.workers.shift import ask, reports

OF_ONE_ROW = (*OF_ONE_LORA, DeadlyJobError)


def train_table_by(crew: Crew, trainings: Sequence[TableTraining], place: TrainingPlace) -> Iterator[TableOutcome]:
    """Train what is not finished of a table.

    Args:
        crew: who trains.
        trainings: the rows.
        place: what is asked of a worker's machine.

    Yields:
        What came of each row, as it comes.

    Raises:
        WorkersError: no worker is left, or one does not fit.
        KeyboardInterrupt: Ctrl-C, after every worker's step in progress; the next run goes on inside what was begun.
    """
    optimisers = dict.fromkeys(row.training.options.optimiser for row in trainings)
    surroundings = ask(crew, TrainingSurroundingsJob(place, tuple(optimisers)))
    table = _TableByCrew(crew, trainings, place, surroundings)
    with held_interrupt() as is_stopped:
        yield from table.run(is_stopped)
        if is_stopped():
            raise KeyboardInterrupt


class _TableByCrew:
    def __init__(
        self, crew: Crew, trainings: Sequence[TableTraining], place: TrainingPlace, surroundings: Surroundings
    ) -> None:
        self._crew, self._place, self._surroundings = crew, place, surroundings
        self._waiting = deque(enumerate(trainings))
        self._begun: dict[int, TableTraining] = {}
        self._done: deque[TableOutcome] = deque()

    def run(self, is_stopped: Callable[[], bool]) -> Iterator[TableOutcome]:
        with closing(reports(self._crew, self._take, is_stopped, ahead=1)) as coming:
            for report in (one for batch in coming for one in batch):
                assert isinstance(report.job, LoraTrainingJob)
                row = self._begun[report.job.number]
                if report.result is not None:
                    self._keep(row, report.result)
                if report.error is not None:
                    self._fail(row, report.error)
                yield from self._finished()
        yield from self._finished()

    def _finished(self) -> Iterator[TableOutcome]:
        while self._done:
            yield self._done.popleft()

    def _take(self, worker: int) -> LoraTrainingJob | None:
        while self._waiting:
            number, row = self._waiting.popleft()
            try:
                check_table_place(row)
                makings = row.training.makings(self._surroundings)
                differences = row.training.differences(makings)
                if differences != []:
                    if differences:
                        because = ", ".join(differences)
                        message(f"{row.training.out} was trained otherwise ({because}) and is replaced", "yellow")
                    self._begun[number] = row
                    return _job(number, row.training, makings, self._surroundings, self._place)
                self._end(row, new=False, seconds=0.0)
            except OF_ONE_ROW as error:
                self._fail(row, error)
        return None

    def _keep(self, row: TableTraining, result: TrainingBytes) -> None:
        try:
            if (sampling := row.training.sampling) is not None:
                for name, data in result.samples:
                    write_picture(data, sampling.folder / name)
            if result.write(row.training.out, row.training.checkpoint):
                self._end(row, new=True, seconds=result.seconds)
        except OF_ONE_ROW as error:
            self._fail(row, error)

    def _end(self, row: TableTraining, *, new: bool, seconds: float) -> None:
        copy_lesson(row.lesson, row.references)
        self._done.append(TableOutcome(row.concept, row.training.out, seconds, new))

    def _fail(self, row: TableTraining, error: LorarError) -> None:
        """Note a failure that is one row's alone; raise any other."""
        if not isinstance(error, OF_ONE_ROW):
            raise error
        self._done.append(replace(TableOutcome(row.concept, row.training.out), error=error))


def _job(
    number: int, training: LoraTraining, makings: dict[str, object], surroundings: Surroundings, place: TrainingPlace
) -> LoraTrainingJob:
    try:
        return LoraTrainingJob.of(number, training, makings, surroundings, place)
    except OSError as error:
        raise ImageError(f"a picture cannot be read: {error}") from None
