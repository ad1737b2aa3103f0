"""Running out of memory as one line that says what would fit."""

from __future__ import annotations

from contextlib import AbstractContextManager

from lorarar.generation.placement import Placement
from lorarar.util.errors import DrawingError
from lorarar.util.out_of_memory import out_of_memory_as


def what_would_fit(batch: int, place: Placement) -> str:
    """What takes less memory than so many pictures at once there, in words; first what costs least time."""
    ways = [f"--batch {batch // 2}"] if batch > 1 else []
    if place.is_gpu:
        ways += {"none": ["--offload model"], "model": ["--offload sequential"], "sequential": []}[place.offload]
    return ", ".join([*ways, "a smaller --size"])


def memory_in_one_line(batch: int, place: Placement) -> AbstractContextManager[None]:
    """Within, with so many pictures at once, running out of memory is a DrawingError that says what would fit."""

    def explain(_: BaseException) -> DrawingError:
        ways = what_would_fit(batch, place)
        return DrawingError(f"{place.device} has not enough memory for --batch {batch}; what would fit: {ways}")

    return out_of_memory_as(explain)
