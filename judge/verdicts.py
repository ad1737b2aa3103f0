"""Verdicts and scores in the database: each once, by a key of everything that decides it.

A verdict that failed or could not be parsed is kept with its reason and asked again by the next run; one that
is clear is never asked again under the same key, and changed settings have other keys.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from judge.prompts import Aspect
from judge.protocol import Answer
from judge.question import Reply, Status
from lorarar import __version__
from lorarar.util.clock import now
from lorarar.util.statistics.odds import logit

if TYPE_CHECKING:
    from lorarar.store import Store

QuestionKey = tuple[str, str, Aspect]  # digests of a picture and of a reference, and what was asked of them


@dataclass(frozen=True)
class Case:
    """A question to a critic, known by what decides its answer."""

    aspect: str
    prompts: str  # version of the set
    prompt: str  # as rendered, with a mark for each picture
    image: str  # sha256 of the file, by which results are joined
    reference: str
    shown: tuple[str, str]  # digests of reference and image as the critic sees them

    @property
    def found_by(self) -> tuple[str, str, str, str]:
        """What reports find its verdict by."""
        return self.prompts, self.image, self.reference, self.aspect

    def key(self, identity: Mapping[str, object]) -> str:
        """The key of its verdict by a critic of this identity."""
        facts = {"identity": dict(identity), "prompt": self.prompt, "shown": self.shown}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Verdict:
    """What one question came to: yes, no, or no answer with the reason."""

    status: Status | Literal["not asked"]
    verdict: Answer  # None unless the status is ok
    probability: float | None  # of Yes, against No

    @property
    def logit(self) -> float | None:
        """Log odds of Yes against No; None without an answer, or where a critic gives no probability."""
        if self.verdict is None or self.probability is None:
            return None
        return logit(self.probability)


NOT_ASKED = Verdict("not asked", None, None)


@dataclass(frozen=True)
class Judge:
    """A critic with its settings and a set of prompts; the id of the critic and the prompts make it."""

    id: int
    critic: str
    prompts: str  # the version of the set
    identity: Mapping[str, str] = field(default_factory=dict, compare=False)


_JUDGES = """
    SELECT j.id, j.critic, v.prompts, j.identity FROM verdicts v JOIN judges j ON j.id = v.judge
    GROUP BY j.id, v.prompts ORDER BY max(v.created) DESC, j.id DESC"""


def read_judges(database: sqlite3.Connection) -> list[Judge]:
    """The judges that have verdicts, the latest first; their settings are left out."""
    return [Judge(number, critic, prompts) for number, critic, prompts, _ in database.execute(_JUDGES)]


class VerdictStore:
    """The judge's side of an open store."""

    table = "verdicts"  # where replies are kept

    def __init__(self, store: Store) -> None:
        from judge.migrations import MIGRATIONS

        self.store = store
        store.extend("judge", MIGRATIONS)

    def judge(self, critic: str, identity: Mapping[str, object]) -> int:
        """The id of a critic with its settings."""
        text = json.dumps(dict(identity), sort_keys=True)
        with self.store.writing():
            db = self.store.db
            db.execute(
                "INSERT OR IGNORE INTO judges (critic, identity, version, created) VALUES (?, ?, ?, ?)",
                [critic, text, __version__, now()],
            )
            (found,) = db.execute("SELECT id FROM judges WHERE identity = ?", [text]).fetchone()
        return int(found)

    def judges(self) -> list[Judge]:
        """The judges that have verdicts, the latest first."""
        return [Judge(**row | {"identity": json.loads(row["identity"])}) for row in self.store.rows(_JUDGES)]

    def find_judge(self, identity: Mapping[str, str], prompts: str) -> Judge | None:
        """The judge that is a critic of this identity with a version of prompts; None where it has no verdicts."""
        fitting = (judge for judge in self.judges() if (judge.identity, judge.prompts) == (identity, prompts))
        return next(fitting, None)

    def of(self, judge: Judge) -> dict[QuestionKey, Verdict]:
        """A judge's verdicts by what it was asked."""
        rows = self.store.rows(
            "SELECT image, reference, aspect, status, verdict, probability FROM verdicts "
            "WHERE judge = ? AND prompts = ?",
            judge.id,
            judge.prompts,
        )
        return {(row["image"], row["reference"], row["aspect"]): verdict_of(row) for row in rows}

    def clear_keys(self) -> set[str]:
        """Keys of all verdicts that need not be asked again."""
        return {row["key"] for row in self.store.rows("SELECT key FROM verdicts WHERE status = 'ok'")}

    def adopt(self, cases: Mapping[str, Case]) -> set[str]:
        """Make results of what a check was clearly told already, of these cases by key; returns those keys."""
        clear = {row["key"] for row in self.store.rows("SELECT key FROM check_verdicts WHERE status = 'ok'")}
        adopted = clear & set(cases)
        if not adopted:
            return set()
        with self.store.writing():
            for key in adopted:
                self._copy("check_verdicts", key, key, cases[key])
        return adopted

    def share(self, judge: int, cases: Iterable[tuple[str, Case]]) -> None:
        """Let clear verdicts of a judge count for these cases too, whose keys they have.

        Reports find verdicts by files and set of prompts, keys are of pixels and words: where equal pixels lie in
        another file, or equal words in another set, a copy stands for them, and nothing is asked twice.
        """
        rows = self.store.rows(
            "SELECT prompts, image, reference, aspect FROM verdicts WHERE judge = ? AND status = 'ok'", judge
        )
        there = {(row["prompts"], row["image"], row["reference"], row["aspect"]) for row in rows}
        missing = {case.found_by: (key, case) for key, case in cases if case.found_by not in there}
        if not missing:
            return
        with self.store.writing():
            for key, case in missing.values():
                self._copy(
                    "verdicts", key, hashlib.sha256(json.dumps([key, *case.found_by]).encode()).hexdigest(), case
                )

    def _copy(self, table: str, key: str, under: str, case: Case) -> None:
        """Make a clear verdict of a table a result of a case's files and prompts, under a key."""
        self.store.db.execute(
            f"INSERT OR REPLACE INTO verdicts SELECT ?, judge, ?, aspect, ?, ?, prompt, status, verdict, "
            f"probability, answer, reason, seconds, created FROM {table} WHERE key = ? AND status = 'ok'",
            [under, case.prompts, case.image, case.reference, key],
        )

    def add(self, judge: int, replies: Sequence[tuple[str, Case, Reply]]) -> None:
        """Keep replies by their keys; a clear one replaces one that was not."""
        with self.store.writing():
            for key, case, reply in replies:
                row: dict[str, Any] = {
                    "key": key,
                    "judge": judge,
                    "prompts": case.prompts,
                    "aspect": case.aspect,
                    "image": sound(case.image),
                    "reference": sound(case.reference),
                    "prompt": case.prompt,
                    "status": reply.status,
                    "verdict": None if reply.verdict is None else int(reply.verdict),
                    "probability": reply.probability,
                    "answer": sound(reply.text),
                    "reason": sound(reply.reason),
                    "seconds": reply.seconds,
                    "created": now(),
                }
                names, places = ", ".join(row), ", ".join(f":{name}" for name in row)
                self.store.db.execute(
                    f"INSERT INTO {self.table} ({names}) VALUES ({places}) ON CONFLICT (key) DO UPDATE SET "
                    + ", ".join(f"{name} = excluded.{name}" for name in row if name != "key")
                    + f" WHERE {self.table}.status <> 'ok'",
                    row,
                )


def verdict_of(row: Mapping[str, Any]) -> Verdict:
    """The verdict of a row with its status, verdict and probability."""
    answer = None if row["verdict"] is None else bool(row["verdict"])
    return Verdict(row["status"], answer, row["probability"])


def sound(text: str) -> str:
    """A text from outside as SQLite takes it: half a character (a server's cut emoji, a file's name) is spelt out."""
    return text.encode("utf-8", "backslashreplace").decode()
