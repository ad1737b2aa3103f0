"""A vote, and how its pictures were shown. Votes are never changed: a later one supersedes an earlier one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from studies.errors import StudyError
from studies.rater.design import VoteAnswer

_RENDERER = re.compile(r"[A-Za-z0-9 ._+-]{1,40}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
MOST_SECONDS = 86400.0
MOST_PIXELS = 100_000
MOST_COLOURS = 256**3
LEAST_PIXELS = 40  # a side of a picture, below which people cannot judge it; half cells of 100 x 24 give 50 x 44


@dataclass(frozen=True)
class Screen:
    """How a rater saw the pictures; sizes that are unknown are 0.

    Raises:
        StudyError: the renderer's name, a size or the number of colours is out of bounds.
    """

    renderer: str  # kitty, sixel, half, …
    columns: int  # of the terminal
    rows: int
    cell_width: int  # pixels
    cell_height: int
    picture_width: int  # pixels that one picture was shown with
    picture_height: int
    colours: int = 0  # that it can show: 256, 16777216, …; 0 where a vote does not say

    def __post_init__(self) -> None:
        if not _RENDERER.fullmatch(self.renderer):
            raise StudyError(
                f"{self.renderer[:60]!r} is not a renderer's name; accepted are up to 40 letters and digits"
            )
        sizes = [value for name, value in vars(self).items() if name not in ("renderer", "colours")]
        if not all(isinstance(size, int) and 0 <= size <= MOST_PIXELS for size in sizes):
            raise StudyError(f"a screen has sizes from 0 to {MOST_PIXELS}, not {sizes}")
        if not (isinstance(self.colours, int) and 0 <= self.colours <= MOST_COLOURS):
            raise StudyError(f"a screen has 0 to {MOST_COLOURS} colours, not {self.colours}")

    @property
    def too_small(self) -> bool:
        """Whether a picture has fewer pixels than anybody can judge; False where that is unknown."""
        return 0 < min(self.picture_width, self.picture_height) < LEAST_PIXELS

    def record(self) -> dict[str, Any]:
        """The screen as JSON values, as a vote is stored with it."""
        return asdict(self)


@dataclass(frozen=True)
class Vote:
    """An answer as the rater gave it, by side.

    Raises:
        StudyError: the time or the day is out of bounds.
    """

    id: str  # 32 random hexadecimal digits
    trial: int
    answer: VoteAnswer
    seconds: float  # from showing the pictures to the answer, on a monotonic clock
    screen: Screen
    supersedes: str | None
    day: str  # YYYY-MM-DD in UTC; no more is kept of the time

    def __post_init__(self) -> None:
        if not 0 <= self.seconds <= MOST_SECONDS:  # NaN fails too
            raise StudyError(f"an answer takes 0 to {MOST_SECONDS:.0f} seconds, not {self.seconds}")
        if not _DAY.fullmatch(self.day):
            raise StudyError(f"{self.day[:20]!r} is not a day; accepted is YYYY-MM-DD")


def standing(votes: Iterable[Vote]) -> dict[int, Vote]:
    """The votes that stand, by trial: those that no other vote supersedes."""
    votes = list(votes)
    superseded = {vote.supersedes for vote in votes}
    return {vote.trial: vote for vote in votes if vote.id not in superseded}


def today() -> str:
    """The day, in UTC."""
    return datetime.now(UTC).date().isoformat()


def check_supersedes(votes: Sequence[Vote], vote: Vote) -> None:
    """Refuse a vote that does not supersede the standing vote of its trial.

    Args:
        votes: all votes of the rater so far.
        vote: the new one.

    Raises:
        StudyError: another window has answered the trial meanwhile.
    """
    before = standing(votes).get(vote.trial)
    if (before.id if before else None) != vote.supersedes:
        raise StudyError("another window of this rater has answered here already; go on there, or open this one again")
