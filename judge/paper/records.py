"""Records: what items came to that take long trainings, kept beside the code and shown as recorded, never as measured.

A record is the numbers of an item's section with what made them. It is made of a run's own results by ``keep``; where a
run has the networks itself, it measures, and the record is not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judge.paper.errors import PaperError
from judge.paper.page import ResultsPage
from lorarar.util.files import replacing
from lorarar.util.json_text import as_json

FOLDER = Path(__file__).parent / "records"


@dataclass(frozen=True)
class Record:
    """The numbers of an item as they were measured once, and what made them."""

    made: Mapping[str, Any]  # day, version, commit, machine, seconds
    numbers: Mapping[str, Any]

    @property
    def words(self) -> str:
        """That it is a record, and of what, as a section says it first of all."""
        made = ", ".join(f"{name} {value}" for name, value in self.made.items())
        return f"RECORDED, not measured in this run, which has not what it takes: {made}."


def recorded(item: str, folder: Path = FOLDER) -> Record | None:
    """The record of an item; None where there is none.

    Raises:
        PaperError: its file is none.
    """
    path = folder / f"{item}.json"
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text())
        return Record(dict(record["made"]), dict(record["numbers"]))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise PaperError(f"{path} is no record of {item}: {error}") from None


def keep(results: Path, item: str, made: Mapping[str, Any], folder: Path = FOLDER) -> Path:
    """Keep what a run measured of an item as its record.

    Args:
        results: the run's folder.
        item: its name.
        made: what is to be known of it beside what the run says: commit, machine, seconds, how networks were trained.
        folder: of the records.

    Raises:
        PaperError: the run has no section of the item, or one of a record or of a smoke test.
    """
    entry = ResultsPage(results).records().get(item)
    if entry is None:
        raise PaperError(f"{results} has no section of {item}; make it: lorarar paper {item} -o {results}")
    numbers = entry["section"]["numbers"]
    if "recorded" in numbers or entry["made"]["quick"]:
        raise PaperError(
            f"what {results} has of {item} is itself a record, or a smoke test; accepted is what was measured"
        )
    of_run = {
        name: entry["made"][name] for name in ("day", "version", "cores")
    }  # a run that went on knows not all its seconds
    path = folder / f"{item}.json"
    with replacing(path) as partial:
        partial.write_text(as_json({"made": {**made, **of_run}, "numbers": numbers}))
    return path
