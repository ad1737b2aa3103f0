"""Train what the pairs of a grid need, each by a worker; files and states come back and are written here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import count

from lorarar.bench.adapters import is_trained, trained_file
from lorarar.bench.crew.pair_parcel import PairParcel
from lorarar.bench.crew.training_job import PairTrainingJob
from lorarar.bench.grid import PlannedGrid, Task
from lorarar.bench.pair_training import claim_of
from lorarar.merge_files import OF_ONE_PAIR
from lorarar.training.crew_training import state_parcel
from lorarar.training.place import TrainingPlace
from lorarar.util.errors import AdapterError, LorarError
from lorarar.util.files import checkpoint_beside
from lorarar.util.interrupts import held_interrupt
from lorarar.util.messages import message
from lorarar.util.progress import Ticker
from lorarar.workers.crew import Crew
from lorarar.workers.errors import DeadlyJobError
from lorarar.workers.shift import reports

OF_A_TRAINING = (*OF_ONE_PAIR, DeadlyJobError)


def train_by(crew: Crew, grid: PlannedGrid, tasks: Sequence[Task]) -> list[Task]:
    """Train what tasks need and lack; what another process is training is waited for.

    Returns:
        The tasks that can go on: all but those whose training failed.

    Raises:
        WorkersError: no worker is left, or one does not fit.
        KeyboardInterrupt: Ctrl-C, after every worker's step in progress.
    """
    training = CrewTraining(crew, grid)
    left = [task for task in tasks if task.pair.training and not is_trained(task.pair, grid.out)]
    with held_interrupt() as is_stopped, Ticker("train pairs", len(left), show=bool(left)) as ticker:
        while left:
            held = training.run(left, is_stopped, ticker.advance)
            if held and len(held) == len(left):
                message(f"pairs that another process is training, and which are waited for: {len(held)}")
                grid.claims.wait([claim_of(task.pair, grid.out) for task in held], is_stopped)
                if is_stopped():
                    raise KeyboardInterrupt
            left = held
    return [task for task in tasks if task not in training.failures]


class CrewTraining:
    """The trainings of a grid."""

    def __init__(self, crew: Crew, grid: PlannedGrid) -> None:
        self.crew, self.grid = crew, grid
        self.failures: list[Task] = []

    def run(self, tasks: Sequence[Task], is_stopped: Callable[[], bool], advance: Callable[[], None]) -> list[Task]:
        """Train what no other process is training.

        Returns:
            What others are training.

        Raises:
            KeyboardInterrupt: it was stopped.
        """
        grid, waiting, held, numbers = self.grid, deque(tasks), list[Task](), count()
        begun: dict[int, Task] = {}

        def take(worker: int) -> PairTrainingJob | None:
            while waiting:
                task = waiting.popleft()
                if not grid.claims.claim([claim_of(task.pair, grid.out)]):
                    held.append(task)
                elif is_trained(task.pair, grid.out):
                    end(task)
                else:
                    try:
                        job = self._job(next(numbers), task)
                    except OF_A_TRAINING as error:
                        self._fail(task, error)
                        end(task)
                    else:
                        begun[job.number] = task
                        return job
            return None

        def end(task: Task) -> None:
            grid.claims.release([claim_of(task.pair, grid.out)])
            advance()

        with closing(reports(self.crew, take, is_stopped, ahead=1)) as coming:
            for report in (one for batch in coming for one in batch):
                assert isinstance(report.job, PairTrainingJob)
                task = begun[report.job.number]
                file = trained_file(task.pair, grid.out)
                if report.result is not None and report.result.write(file, checkpoint_beside(file)):
                    grid.outcome.trained += 1
                    grid.outcome.seconds["train"] += report.result.seconds
                if report.error is not None:
                    self._fail(task, report.error)
                if report.is_last:
                    end(task)
        if is_stopped():
            raise KeyboardInterrupt
        return held

    def _job(self, number: int, task: Task) -> PairTrainingJob:
        """The job of a pair.

        Raises:
            AdapterError: a file of the pair cannot be read.
        """
        grid, pair = self.grid, task.pair
        training = grid.surroundings.training
        assert training is not None, "a grid with a pair to train has been told of trainings"
        try:
            return PairTrainingJob(
                number=number,
                base=grid.base,
                place=TrainingPlace(grid.plan.pictures.device, grid.plan.precision),
                surroundings=training,
                admission=grid.plan.admission,
                pair=PairParcel.of(pair, grid.out, to_train=True),
                state=state_parcel(checkpoint_beside(trained_file(pair, grid.out))),
            )
        except OSError as error:
            raise AdapterError(f"a file of {pair.name} cannot be read: {error}") from None

    def _fail(self, task: Task, error: LorarError) -> None:
        """Note a failure that is one pair's alone; raise any other."""
        if not isinstance(error, OF_A_TRAINING):
            raise error
        self.grid.outcome.fail(task.pair, error)
        self.failures.append(task)
