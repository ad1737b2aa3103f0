"""Where a build of Pocket works: its folder of half-done things, its seed, its device."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from accelerate import Accelerator


@dataclass(frozen=True)
class Workshop:
    """A build in progress."""

    folder: Path
    seed: int = 0
    steps: int | None = None  # instead of a stage's own number of training steps
    fresh: bool = False  # start from nothing rather than from what is shipped
    precision: str | None = None  # accelerate's mixed precision

    @property
    def pictures(self) -> Path:
        """The base's training pictures."""
        return self.folder / "pictures.npz"

    @property
    def latents(self) -> Path:
        """Their latents."""
        return self.folder / "latents.pt"

    def checkpoint(self, name: str) -> Path:
        """Where the training of that name keeps its state."""
        return self.folder / f"{name}.pt"

    def accelerator(self) -> Accelerator:
        """Device, precision and processes, as accelerate finds them."""
        return Accelerator(mixed_precision=self.precision)


@dataclass(frozen=True)
class Stage:
    """One stage of the recipe."""

    name: str
    what: str
    run: Callable[[Workshop], None]


class Clock:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def seconds(self) -> int:
        """Whole seconds."""
        return round(time.perf_counter() - self._start)
