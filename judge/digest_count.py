"""How many of millions of digests are the same, in eight bytes for each."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

_DIGITS = 16  # of a hex digest: of ten million, two that differ have these in common once in half a million databases


class DigestCount:
    """Counts digests that came before."""

    def __init__(self) -> None:
        self._beginnings = array("Q")

    def add(self, digests: Iterable[str]) -> None:
        """Take some digests, in hex."""
        self._beginnings.extend(int(digest[:_DIGITS], 16) for digest in digests)

    @property
    def repeated(self) -> int:
        """How many had come before."""
        import numpy as np

        beginnings = np.frombuffer(self._beginnings, dtype=np.uint64)
        return len(beginnings) - len(np.unique(beginnings))
