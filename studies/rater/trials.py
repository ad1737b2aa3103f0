"""What one rater sees, one trial after the other: a pure function of the design and the rater's code.

So nothing has to be kept to go on where a rater left off, and a packet elsewhere shows what the database would.
Order is by digest, not by a generator, which another version of Python could change.

Sides: at design time each item gets an order of its two pictures in which each method stands first in half of the
items; half of all raters see that order, the others its mirror image. So sides are balanced within every rater and,
item by item, over raters, while the packet need not know a method.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from studies.rater.design import Design, Item, most_repeats

TrialPurpose = Literal["practice", "plain", "repeat", "attention"]


@dataclass(frozen=True)
class Trial:
    """An item as one rater sees it."""

    number: int
    item: Item
    purpose: TrialPurpose
    mirrored: bool  # the second picture is on the left

    @property
    def options(self) -> tuple[str, ...]:
        """The digests of the item's pictures from left to right."""
        return self.item.options[::-1] if self.mirrored else self.item.options


def trials_of(design: Design, code: str) -> tuple[Trial, ...]:
    """The trials of a rater: practice, then plain items and attention checks shuffled, repeats among the last."""
    seed = f"{design.digest}/{code}"
    flipped = is_mirrored(design, code)

    def rank(what: str, item: Item) -> bytes:
        return hashlib.sha256(f"{seed}/{what}/{item.number}".encode()).digest()

    def first(item: Item) -> tuple[Item, TrialPurpose, bool]:
        swapped = flipped if item.purpose == "plain" else bool(rank("side", item)[0] & 1)
        return item, item.purpose, swapped

    order = sorted((item for item in design.items if item.purpose != "practice"), key=lambda item: rank("order", item))
    plain = [item for item in order if item.purpose == "plain"]
    early = sorted(plain[: most_repeats(len(plain))], key=lambda item: rank("repeat", item))
    again = {item.number for item in early[: design.repeats]}
    head, tail = order[: 2 * len(order) // 3], order[2 * len(order) // 3 :]
    repeated: list[tuple[Item, TrialPurpose, bool]] = [
        (item, "repeat", not flipped) for item in plain if item.number in again
    ]
    late = sorted([*map(first, tail), *repeated], key=lambda showing: rank("late", showing[0]))
    practice = [first(item) for item in design.items if item.purpose == "practice"]
    showings = [*practice, *map(first, head), *late]
    return tuple(
        Trial(number=number, item=item, purpose=purpose, mirrored=mirrored)
        for number, (item, purpose, mirrored) in enumerate(showings)
    )


def is_mirrored(design: Design, code: str) -> bool:
    """Whether a rater belongs to the half that sees the mirror image."""
    return bool(hashlib.sha256(f"{design.digest}/{code}/mirrored".encode()).digest()[0] & 1)
