"""What one of several processes that train together takes of each step."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Share:
    """The part of one process: which one it is, from 0, and how many there are."""

    index: int
    count: int

    def of(self, samples: Tensor) -> Tensor:
        """Its part of the samples for all: as many for each, those of process 0 first."""
        return samples.tensor_split(self.count)[self.index]


ALONE = Share(0, 1)
