"""Verdicts in the database: each once, by a digest of everything that decides it.

A verdict that failed or could not be parsed is kept with its reason and asked again by the next run; one that
is clear is never asked again under the same digest, and changed settings have other digests.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from judge.protocol import Answer
from judge.questions import Aspect, Reply, Status
from lorarar import __version__
from lorarar.util.clock import now
from lorarar.util.statistics.odds import logit

if TYPE_CHECKING:
    from lorarar.store import Store

QuestionKey = tuple[str, str, Aspect]  # digests of a picture and of a reference, and what was asked of them


@dataclass(frozen=True)
class VerdictKey:
    """Everything that decides a critic's answer to a question, and the files that its verdict is about."""

    aspect: str
    prompts: str  # version of the set
    prompt: str  # as rendered, with a mark for each picture
    image: str  # sha256 of the file, by which results are joined
    reference: str
    pixels: tuple[str, str]  # digests of reference and image as the critic sees them

    @property
    def place(self) -> tuple[str, str, str, str]:
        """The prompts, files and aspect by which reports find a verdict of any critic."""
        return self.prompts, self.image, self.reference, self.aspect

    def digest(self, identity: Mapping[str, object]) -> str:
        """The digest under which a verdict by a critic of this identity is kept; files do not enter it, pixels do."""
        facts = {"identity": dict(identity), "prompt": self.prompt, "shown": self.pixels}
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Verdict:
    """What one question came to: yes, no, or no answer with the reason."""

    status: Status | Literal["not asked"]
    answer: Answer  # None unless the status is ok
    probability: float | None  # of Yes, against No

    @property
    def logit(self) -> float | None:
        """Log odds of Yes against No; None without an answer, or where a critic gives no probability."""
        if self.answer is None or self.probability is None:
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

    def judge_id(self, critic: str, identity: Mapping[str, object]) -> int:
        """The id of a critic with its settings, which is kept if it is new."""
        text = json.dumps(dict(identity), sort_keys=True)
        with self.store.writing():
            db = self.store.db
            db.execute(
                "INSERT OR IGNORE INTO judges (critic, identity, version, created) VALUES (?, ?, ?, ?)",
                [critic, text, __version__, now()],
            )
            (number,) = db.execute("SELECT id FROM judges WHERE identity = ?", [text]).fetchone()
        return int(number)

    def judges(self) -> list[Judge]:
        """The judges that have verdicts, the latest first."""
        return [Judge(**row | {"identity": json.loads(row["identity"])}) for row in self.store.rows(_JUDGES)]

    def find_judge(self, identity: Mapping[str, str], prompts: str) -> Judge | None:
        """The judge that is a critic of this identity with a version of prompts; None where it has no verdicts."""
        fitting = (judge for judge in self.judges() if (judge.identity, judge.prompts) == (identity, prompts))
        return next(fitting, None)

    def of(self, judge: Judge) -> dict[QuestionKey, Verdict]:
        """A judge's verdicts by question."""
        rows = self.store.rows(
            "SELECT image, reference, aspect, status, verdict, probability FROM verdicts "
            "WHERE judge = ? AND prompts = ?",
            judge.id,
            judge.prompts,
        )
        return {(row["image"], row["reference"], row["aspect"]): verdict_of(row) for row in rows}

    def clear_digests(self) -> set[str]:
        """The digests under which clear verdicts are kept: those questions need not be asked again."""
        return {row["key"] for row in self.store.rows("SELECT key FROM verdicts WHERE status = 'ok'")}

    def promote(self, keys: Mapping[str, VerdictKey]) -> set[str]:
        """Make results of clear verdicts that only a check has so far.

        Args:
            keys: the verdicts that are looked for, by their digests.

        Returns:
            The digests of those that the check had.
        """
        clear = {row["key"] for row in self.store.rows("SELECT key FROM check_verdicts WHERE status = 'ok'")}
        promoted = clear & set(keys)
        if not promoted:
            return set()
        with self.store.writing():
            for digest in promoted:
                self._copy("check_verdicts", digest, digest, keys[digest])
        return promoted

    def copy_to_equal(self, judge: int, keys: Iterable[tuple[str, VerdictKey]]) -> None:
        """Let clear verdicts of a judge count for these keys too, whose digests they have.

        Reports find verdicts by files and set of prompts, digests are of pixels and words: where equal pixels lie in
        another file, or equal words in another set, a copy stands for them, and nothing is asked twice.
        """
        rows = self.store.rows(
            "SELECT prompts, image, reference, aspect FROM verdicts WHERE judge = ? AND status = 'ok'", judge
        )
        places = {(row["prompts"], row["image"], row["reference"], row["aspect"]) for row in rows}
        missing = {key.place: (digest, key) for digest, key in keys if key.place not in places}
        if not missing:
            return
        with self.store.writing():
            for digest, key in missing.values():
                copy = hashlib.sha256(json.dumps([digest, *key.place]).encode()).hexdigest()
                self._copy("verdicts", digest, copy, key)

    def _copy(self, table: str, digest: str, under: str, key: VerdictKey) -> None:
        """Make a clear verdict of a table a result of a key's files and prompts, under another digest."""
        self.store.db.execute(
            f"INSERT OR REPLACE INTO verdicts SELECT ?, judge, ?, aspect, ?, ?, prompt, status, verdict, "
            f"probability, answer, reason, seconds, created, words FROM {table} WHERE key = ? AND status = 'ok'",
            [under, key.prompts, key.image, key.reference, digest],
        )

    def add(self, judge: int, replies: Sequence[tuple[str, VerdictKey, Reply]]) -> None:
        """Keep replies by their digests; a clear one replaces one that was not."""
        with self.store.writing():
            for digest, key, reply in replies:
                row: dict[str, Any] = {
                    "key": digest,
                    "judge": judge,
                    "prompts": key.prompts,
                    "aspect": key.aspect,
                    "image": sound(key.image),
                    "reference": sound(key.reference),
                    "prompt": key.prompt,
                    "status": reply.status,
                    "verdict": None if reply.answer is None else int(reply.answer),
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
