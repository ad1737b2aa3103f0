"""The cores of this machine, and the share of each of several processes."""

from __future__ import annotations

import os


def cores_of(processes: int = 1) -> int:
    """The cores of each of so many processes, one at least."""
    return max((os.cpu_count() or 1) // processes, 1)
