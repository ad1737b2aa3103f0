"""What is served: a study, to whom, and under which address."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

MOST = 200  # people at a time


@dataclass(frozen=True)
class StudyService:
    """A study in browsers."""

    study: str  # its name
    database: Path
    tokens: Path  # the file of tokens
    origin: str  # of the page, as browsers name it
    most: int = MOST  # people at a time
