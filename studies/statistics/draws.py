"""How many resamples a report's intervals are made of, and by which seed: said once, for all of its figures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from lorarar.util.statistics.bootstrap import RESAMPLES, SEED
from studies.errors import StudyError

FEWEST, MOST = 200, 100_000  # of fewer than some hundred, the ends of a 95 % interval are those of a handful


@dataclass(frozen=True)
class Draws:
    """The resamples of a report, which all of its intervals are of.

    Raises:
        StudyError: they are too few for an interval, or too many to wait for.
    """

    count: int = RESAMPLES
    seed: int = SEED

    def __post_init__(self) -> None:
        if not FEWEST <= self.count <= MOST:
            raise StudyError(f"{self.count} resamples; accepted are {FEWEST} to {MOST}")


_CURRENT: ContextVar[Draws | None] = ContextVar("draws", default=None)


def current_draws() -> Draws:
    """The resamples of the report that is being made; the usual ones outside of one."""
    return _CURRENT.get() or Draws()


@contextmanager
def drawn_by(draws: Draws) -> Iterator[None]:
    """Make the figures of a block by these resamples."""
    token = _CURRENT.set(draws)
    try:
        yield
    finally:
        _CURRENT.reset(token)
