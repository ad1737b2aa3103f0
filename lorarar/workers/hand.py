"""A worker from within: what the process at the other end does with a job.

It says nothing on its own machine's terminal: what has to be known travels back and is said where the command runs.
"""

from __future__ import annotations

import logging
import os
import pickle
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lorarar.util.errors import LorarError
from lorarar.util.interrupts import press
from lorarar.util.libraries import minor_versions
from lorarar.util.messages import LOGGER, to_log
from lorarar.version import __version__
from lorarar.workers.job import Job
from lorarar.workers.workbench import Workbench


class Letter(NamedTuple):
    """What travels back."""

    kind: Literal["results", "lacks", "fault", "words"]
    body: Any  # some results; digests of files; an error; what to say


@dataclass(frozen=True)
class Greeting:
    """What a worker is."""

    host: str
    version: str
    libraries: dict[str, str]

    @classmethod
    def here(cls) -> Greeting:
        """What this process is."""
        return cls(platform.node(), __version__, minor_versions())

    def difference(self, other: Greeting) -> str:
        """In what another differs so that it makes other results; empty where in nothing."""
        ours, theirs = ({"lorarar": one.version, **one.libraries} for one in (self, other))
        return ", ".join(f"{name} {theirs[name]} and not {ours[name]}" for name in ours if theirs[name] != ours[name])


class Hand:
    """A worker."""

    def __init__(self, folder: str, threads: int | None) -> None:
        """Begin.

        Args:
            folder: where the command runs; names of files without a root are below it, where it is here too.
            threads: of a processor; None: as many as torch takes.
        """
        if os.path.isdir(folder):  # noqa: PTH112 - of a machine that may have another kind of paths
            os.chdir(folder)
        self.threads = threads
        if threads is not None:  # before torch is loaded: threads that wait in a loop starve those they wait for
            os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        self.bench = Workbench(Path(tempfile.mkdtemp(prefix="lorarar-worker-")))

    def greet(self) -> Greeting:
        """What it is."""
        return Greeting.here()

    def work(self, packed: bytes, number: int, pause: float, digests: Sequence[str], *files: bytes) -> Iterator[Letter]:
        """Do a job.

        Args:
            packed: the job, by pickle.
            number: of stops that were before it.
            pause: seconds between two letters with results; those of the meantime travel together.
            digests: of files that are sent with it.
            files: their bytes.
        """
        job: Job[Any] = pickle.loads(packed)
        self.bench.begin(number)
        self._take_threads()
        self.bench.receive(job.parcels, dict(zip(digests, files, strict=True)))
        if lacks := self.bench.lacking(job.parcels):
            yield Letter("lacks", lacks)
            return
        words, fault = list[tuple[str, str]](), list[LorarError]()
        with _overheard(words):
            yield from (Letter("results", results) for results in _together(self._results(job, fault), pause))
        if fault:
            yield Letter("fault", fault[0])
        if words:
            yield Letter("words", words)

    def stop(self, number: int) -> None:
        """Stop all that was given before a stop; called beside a job."""
        self.bench.stop(number)
        if self.bench.is_stopped:
            press()

    def close(self) -> None:
        """Remove what it was sent."""
        self.bench.close()

    def _results(self, job: Job[Any], fault: list[LorarError]) -> Iterator[Any]:
        """What comes of a job; why no more does, where that is known, is put into ``fault``."""
        try:
            yield from job.run(self.bench)
        except LorarError as error:
            fault.append(_portable(error))
        except KeyboardInterrupt:  # pressed by ``stop``: it has ended between two steps
            pass

    def _take_threads(self) -> None:
        if self.threads is not None:
            import torch

            torch.set_num_threads(self.threads)


def _together(results: Iterator[Any], pause: float) -> Iterator[list[Any]]:
    """Results, those of so many seconds together."""
    some, since = list[Any](), time.monotonic()
    for result in results:
        some.append(result)
        if time.monotonic() - since >= pause:
            yield some
            some, since = [], time.monotonic()
    if some:
        yield some


@contextmanager
def _overheard(words: list[tuple[str, str]]) -> Iterator[None]:
    """Within, warnings and errors are noted, each with the style that ``message`` takes, and nothing is shown."""

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            words.append((record.getMessage(), "yellow"))

    notes, logger = Notes(logging.WARNING), logging.getLogger(LOGGER)
    logger.addHandler(notes)
    try:
        with to_log():
            yield
    finally:
        logger.removeHandler(notes)


def _portable(error: LorarError) -> LorarError:
    """An error that travels: one that cannot becomes its line."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever an error of another package trips over
        return LorarError(str(error))
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error
