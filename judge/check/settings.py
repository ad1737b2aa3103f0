"""The same questions under other settings, or to another judge: how much of a result is the setting's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from judge.check.statistics.agreement import Flips, count_flips
from judge.verdicts import Verdict


@dataclass(frozen=True)
class Setting:
    """One other configuration against the reference."""

    name: str
    flips: Flips | None
    average: float | None  # MARS2 of the sample
    failure: str = ""  # why it could not be tried


def setting(
    name: str, reference: Sequence[Verdict], other: Sequence[Verdict], pictures: Sequence[Path], average: float | None
) -> Setting:
    """Compare the answers of the reference with another configuration's, question by question."""
    return Setting(name, count_flips(reference, other, pictures), average)
