"""How far a judge can be trusted, in the words of its last check: kept by the check, said beside what reports conclude.

A check's verdicts enter no report; only its grades stand beside one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lorarar import __version__
from lorarar.util.formatting import in_words

if TYPE_CHECKING:
    from judge.identity import Identity
    from judge.verdicts import Judge, VerdictStore

GRADES = ("poor", "fair", "good")  # of a finding, the worst first


@dataclass(frozen=True)
class Trust:
    """What a check of a judge came to."""

    created: str  # UTC
    collection: str  # whose pictures the sample is of, in words
    pictures: int  # in the sample
    grades: Mapping[str, str]  # of each part that was graded, the worst

    @property
    def sentence(self) -> str:
        """The parts by their grade, the worst first, and what they are of."""
        of = f"judge check of {self.created[:10]}, {self.pictures} pictures of {self.collection}"
        parts = [(grade, [part for part, own in self.grades.items() if own == grade]) for grade in GRADES]
        graded = "; ".join(f"{grade} in {in_words(names)}" for grade, names in parts if names)
        return f"The judge itself: {graded or 'nothing could be graded'} ({of})"

    def record(self) -> dict[str, Any]:
        """The check as JSON has it."""
        return {**asdict(self), "sentence": self.sentence}


def worst_grades(findings: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The worst grade of each part that has any, from the part and the grade of every finding."""
    worst: dict[str, str] = {}
    for part, grade in findings:
        if grade in GRADES:
            worst[part] = min(worst.get(part, grade), grade, key=GRADES.index)
    return worst


def keep_trust(verdicts: VerdictStore, identity: Identity, prompts: str, trust: Trust) -> None:
    """Keep what a check came to, of a critic of this identity with a version of prompts.

    Raises:
        StoreError: it cannot be kept.
    """
    judge = verdicts.judge_id(str(identity["critic"]), verdicts.known_identity(identity))
    with verdicts.store.writing():
        verdicts.store.db.execute(
            "INSERT INTO checks (judge, prompts, collection, pictures, grades, version, created) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            [judge, prompts, trust.collection, trust.pictures, json.dumps(trust.grades), __version__, trust.created],
        )


def read_trust(database: sqlite3.Connection, judge: Judge) -> Trust | None:
    """What the last check of a judge came to; None where none is on record."""
    row = database.execute(
        "SELECT created, collection, pictures, grades FROM checks WHERE judge = ? AND prompts = ? ORDER BY id DESC",
        [judge.id, judge.prompts],
    ).fetchone()
    return Trust(row[0], row[1], row[2], json.loads(row[3])) if row else None
