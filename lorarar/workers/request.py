"""Which workers a command is asked for by ``--workers`` and ``--cpus-per-worker``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lorarar.util.errors import UsageError

AUTO = "auto"
_ADDRESS = re.compile(r"(ray://)?[^\s:/]+:\d{1,5}|\[[0-9a-fA-F:]+\]:\d{1,5}")
ACCEPTED = "auto, a number from 1, or the address of a cluster like 10.0.0.5:6379"


@dataclass(frozen=True)
class WorkersRequest:
    """Workers that are asked for."""

    count: int | None = None  # None: one for each GPU, else as there are processors
    address: str | None = None  # of a cluster; None: the one that runs here, else a new one on this machine
    cpus: int | None = None  # processors of each worker

    @classmethod
    def parse(cls, text: str | int, cpus: int | None = None) -> WorkersRequest:
        """Workers as a command line says them.

        Raises:
            UsageError: it says something else than what is accepted.
        """
        value = str(text).strip()
        if cpus is not None and cpus < 1:
            raise UsageError(f"--cpus-per-worker is {cpus}; accepted is a number from 1")
        if value == AUTO:
            return cls(cpus=cpus)
        if value.isdecimal() and int(value) > 0:
            return cls(count=int(value), cpus=cpus)
        if not value.startswith("ray://") and _ADDRESS.fullmatch(value):
            return cls(address=value, cpus=cpus)
        hint = "; from without a cluster, run the command on one of its machines" if value.startswith("ray://") else ""
        raise UsageError(f"--workers is {value[:80]!r}; accepted is {ACCEPTED}{hint}")
