"""Seeds: numbers that torch's generators are seeded from."""

from __future__ import annotations

from collections.abc import Sequence

from lorarar.util.errors import SeedError

LARGEST = 2**64 - 1
ACCEPTED = f"a number from 0 to {LARGEST}"


def are_seeds(numbers: Sequence[int]) -> bool:
    """Whether all of these numbers can be seeds."""
    ends = (numbers[0], numbers[-1]) if isinstance(numbers, range) and numbers else numbers
    return all(0 <= number <= LARGEST for number in ends)


def check_seeds(numbers: Sequence[int]) -> None:
    """Refuse numbers that can be no seeds.

    Raises:
        SeedError: one of them cannot.
    """
    if not are_seeds(numbers):
        raise SeedError(f"seeds are {numbers[0]} to {numbers[-1]}; accepted is {ACCEPTED} for each")
