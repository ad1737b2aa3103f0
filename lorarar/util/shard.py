"""Shards: even shares of one job, each for a process of its own, on whatever machine.

Which share a shard has follows from the job alone, so that nobody hands out anything, and a shard that is started again
has the same share.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lorarar.util.errors import UsageError

_WRITTEN = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})")
_DATABASE = re.compile(r"\.([1-9]\d*)-of-([1-9]\d*)$")


class ShardError(UsageError):
    """No shard."""

    title = "Shard"


@dataclass(frozen=True)
class Shard:
    """One of ``count`` shares."""

    number: int  # from 1
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The shard that a text like ``2/8`` names.

        Raises:
            ShardError: it names none.
        """
        written = _WRITTEN.fullmatch(text.strip())
        if written is None or int(written[1]) > int(written[2]):
            raise ShardError(f"--shard is {text[:40]!r}; accepted is I/N, from 1/N to N/N, for example 2/8")
        return cls(int(written[1]), int(written[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def database(self, whole: Path) -> Path:
        """The database of the shard beside that of the whole job: ``lorarar.db.2-of-8``."""
        return whole.with_name(f"{whole.name}.{self.number}-of-{self.count}")

    def share(self, costs: Mapping[str, int]) -> frozenset[str]:
        """Which of some tasks are the shard's, by what each of all tasks costs."""
        return frozenset(shares(costs, self.count)[self.number - 1])


def shard_of(database: Path) -> Shard | None:
    """The shard whose database has such a name; None where it is none's."""
    named = _DATABASE.search(database.name)
    return Shard(int(named[1]), int(named[2])) if named else None


def shares(costs: Mapping[str, int], count: int) -> list[list[str]]:
    """Deal tasks out, the dearest first, each to the share that costs least so far.

    So no two shares differ by more than the dearest task costs. The tasks' names and costs alone decide, whatever order
    they come in.

    Args:
        costs: of each task by its name, 0 or more.
        count: how many shares there are; those beyond the number of tasks are empty.

    Returns:
        The names in each share.
    """
    dealt: list[list[str]] = [[] for _ in range(count)]
    totals = [(0, number) for number in range(count)]
    for name in sorted(costs, key=lambda name: (-costs[name], name)):
        total, number = heapq.heappop(totals)
        dealt[number].append(name)
        heapq.heappush(totals, (total + costs[name], number))
    return dealt
