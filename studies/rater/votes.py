"""A vote, and how its pictures were shown. Votes are never changed: a later one supersedes an earlier one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from studies.errors import RefusedVoteError, SettledVoteError, StudyError
from studies.rater.design import VoteAnswer
from studies.rater.patterns import RENDERER, is_day, matches

MOST_SECONDS = 86400.0
MOST_PIXELS = 100_000
MOST_COLOURS = 256**3
LEAST_COLOURS = 256  # of a terminal that people can judge pictures in
LEAST_LOOK = 0.2  # seconds with the pictures up, before which nobody answers what they see
MOST_VOTES = 100  # of a rater on one trial; nobody changes an answer so often
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
        if not matches(RENDERER, self.renderer):
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
        if not is_day(self.day):
            raise StudyError(f"{self.day[:20]!r} is not a day; accepted is YYYY-MM-DD")


def standing(votes: Iterable[Vote]) -> dict[int, Vote]:
    """The votes that stand, by trial: those that no other vote supersedes."""
    votes = list(votes)
    superseded = {vote.supersedes for vote in votes}
    return {vote.trial: vote for vote in votes if vote.id not in superseded}


def today() -> str:
    """The day, in UTC."""
    return datetime.now(UTC).date().isoformat()


class VoteHistory:
    """All votes of a rater so far, to which those are added that supersede what stands."""

    def __init__(self, votes: Iterable[Vote]) -> None:
        votes = list(votes)
        self._standing = standing(votes)
        self._counts = Counter(vote.trial for vote in votes)

    def add(self, vote: Vote) -> None:
        """Add a vote.

        Raises:
            RefusedVoteError: it does not supersede the standing vote of its trial, since another window has answered
                meanwhile.
            SettledVoteError: the trial's answer was changed too often.
        """
        before = self._standing.get(vote.trial)
        if (before.id if before else None) != vote.supersedes:
            raise RefusedVoteError(
                "another window of this rater has answered here already; go on there, or open this one again"
            )
        if self._counts[vote.trial] >= MOST_VOTES:
            raise SettledVoteError(f"this answer was given {MOST_VOTES} times; it stays as it is now")
        self._standing[vote.trial] = vote
        self._counts[vote.trial] += 1
