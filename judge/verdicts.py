"""Verdicts in the database: each once, by a digest of everything that decides it.

A verdict that failed or could not be parsed is kept with its reason and asked again by the next run; one that
is clear is never asked again under the same digest, and changed settings have other digests.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from judge.identity import Identity, known_identities
from judge.protocol import Answer
from judge.questions import Aspect, Reply, Status
from judge.reading import LEAST_MASS
from lorarar import __version__
from lorarar.util.clock import now
from lorarar.util.statistics.odds import logit

if TYPE_CHECKING:
    from lorarar.store import Store

Place = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class VerdictKey:
    """Everything that decides a critic's answer to a question, and the files that its verdict is about."""

    aspect: str
    prompts: str  # version of the set
    prompt: str  # as rendered, with a mark for each picture
    image: str  # sha256 of the file, by which results are joined
    reference: str
    pixels: tuple[str, str]  # digests of reference and image as the critic sees them
    words: str = ""  # of the style, where the question names it
    reading: str = ""  # how the answer is read, where it is not Yes or No

    @property
    def place(self) -> Place:
        """The words, files and aspect by which reports find a verdict of any critic."""
        return self.prompts, self.words, self.image, self.reference, self.aspect

    @property
    def old_place(self) -> Place:
        """The place of a verdict from before the words were kept: its whole prompt stands for them."""
        return self.prompts, self.prompt, self.image, self.reference, self.aspect

    def digest(self, identity: Mapping[str, object]) -> str:
        """The digest under which a verdict by a critic of this identity is kept; files do not enter it, pixels do."""
        digest = _begun_digest(tuple(identity.items()), self.prompt, self.reading).copy()
        digest.update(f', "shown": {json.dumps(self.pixels)}}}'.encode())
        return digest.hexdigest()


@lru_cache(maxsize=4096)
def _begun_digest(identity: tuple[tuple[str, object], ...], prompt: str, reading: str) -> hashlib._Hash:
    """``digest_of_facts`` of a question, up to the pictures that are shown, which come last in it.

    How its answer is read is a fact only where it is not Yes or No, so that keys stay as they are.
    """
    decides = {"identity": dict(identity), "prompt": prompt} | ({"reading": reading} if reading else {})
    facts = json.dumps(decides, sort_keys=True)
    return hashlib.sha256(facts.removesuffix("}").encode())


@dataclass(frozen=True)
class Verdict:
    """What one question came to: yes, no, or no answer with the reason."""

    status: Status | Literal["not asked", "tied"]  # tied: half of a jury say yes
    answer: Answer  # None unless the status is ok
    probability: float | None  # of Yes, against No

    @property
    def logit(self) -> float | None:
        """Log odds of Yes against No; None without an answer, or where a critic gives no probability."""
        if self.answer is None or self.probability is None:
            return None
        return logit(self.probability)


NOT_ASKED = Verdict("not asked", None, None)
TIED = Verdict("tied", None, None)


class QuestionKey(NamedTuple):
    """A question about two files, as what knows neither a critic nor the wording of its prompts names it."""

    image: str  # digests of the files
    reference: str
    aspect: Aspect
    words: str | None  # of the style that the picture should show; None where they are not known: any count


class JudgeVerdicts:
    """A judge's verdicts by question.

    A verdict counts for a style's words where the question was asked in them, or named no style. Where nobody knows
    its words (``judge.migrations``) they need to stand in the prompt; one that was asked in the very words goes before.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Takes rows of verdicts, the best last."""
        self._rows: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
        for row in rows:
            self._rows.setdefault((row["image"], row["reference"], row["aspect"]), []).append(row)

    def find(self, key: QuestionKey) -> Verdict:
        """The verdict on a question; ``NOT_ASKED`` where there is none."""
        row = self.row(key)
        return verdict_of(row) if row else NOT_ASKED

    def row(self, key: QuestionKey) -> Mapping[str, Any] | None:
        """The row of the verdict on a question; None where there is none."""
        rows = reversed(self._rows.get((key.image, key.reference, key.aspect), ()))
        return next((row for row in rows if _was_asked_in(row, key.words)), None)


def _was_asked_in(row: Mapping[str, Any], words: str | None) -> bool:
    """Whether a row's question was asked in a style's words, or needs none."""
    if words is None or row["words"] in ("", words):
        return True
    return row["words"] is None and (row["aspect"] == "subject" or says(row["prompt"], words))


@lru_cache(maxsize=4096)
def says(prompt: str, words: str) -> bool:
    """Whether words stand in a prompt, none of them a part of a longer one."""
    return bool(re.search(rf"(?<!\w){re.escape(words)}(?!\w)", prompt))


#: How good rows are for one question, the best last: asked in words that are known, and clear.
BEST_LAST = "words IS NOT NULL, status = 'ok', created"


@dataclass(frozen=True)
class Judge:
    """A critic with its settings and a set of prompts; the id of the critic and the prompts make it."""

    id: int
    critic: str
    prompts: str  # the version of the set
    identity: Mapping[str, str] = field(default_factory=dict, compare=False)


def judge_record(judge: Judge) -> dict[str, str]:
    """A judge in full: its number, its prompts and its critic's identity; the majority of a jury has no number."""
    number = {"judge": str(judge.id)} if judge.id else {}
    return {**number, "prompts": judge.prompts, **judge.identity}


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
        from judge.schema import SCHEMA

        self.store = store
        store.extend(SCHEMA)

    def judge_id(self, critic: str, identity: Mapping[str, object]) -> int:
        """The id of a critic with its settings, which is kept if it is new."""
        text = json.dumps(dict(identity), sort_keys=True)
        with self.store.writing():
            db = self.store.db
            db.execute(
                "INSERT OR IGNORE INTO judges (critic, identity, version, created) VALUES (?, ?, ?, ?)",
                [sound(critic), text, __version__, now()],
            )
            (number,) = db.execute("SELECT id FROM judges WHERE identity = ?", [text]).fetchone()
        return int(number)

    def judges(self) -> list[Judge]:
        """The judges that have verdicts, the latest first."""
        return [Judge(**row | {"identity": json.loads(row["identity"])}) for row in self.store.rows(_JUDGES)]

    def find_judge(self, identity: Identity, prompts: str) -> Judge | None:
        """The judge that is a critic of this identity with a version of prompts; None where it has no verdicts."""
        own = self.known_identity(identity)
        fitting = (judge for judge in self.judges() if (judge.identity, judge.prompts) == (own, prompts))
        return next(fitting, None)

    def known_identities(self, identity: Identity) -> Sequence[Identity]:
        """The identities under which this database knows a critic; the first enters the digests of new verdicts."""
        rows = self.store.rows("SELECT identity FROM judges ORDER BY id DESC")
        return known_identities(identity, (json.loads(row["identity"]) for row in rows))

    def known_identity(self, identity: Identity) -> Identity:
        """The identity under which this database keeps a critic's verdicts; its own where it is new."""
        return self.known_identities(identity)[0]

    def of(self, judge: Judge) -> JudgeVerdicts:
        """A judge's verdicts."""
        rows = self.store.rows(
            "SELECT image, reference, aspect, words, prompt, status, verdict, probability FROM verdicts "
            f"WHERE judge = ? AND prompts = ? ORDER BY {BEST_LAST}",
            judge.id,
            judge.prompts,
        )
        return JudgeVerdicts(rows)

    def reasons(self, judges: Iterable[Judge], images: Collection[str]) -> Counter[str]:
        """Why judges have no clear answers to questions about images, and how often."""
        rows = self.store.rows(
            "SELECT judge, prompts, reason, count(*) AS count FROM verdicts WHERE status <> 'ok' AND image IN "
            "(SELECT value FROM json_each(?)) GROUP BY judge, prompts, reason",
            json.dumps(list(images)),
        )
        chosen = {(judge.id, judge.prompts) for judge in judges}
        reasons: Counter[str] = Counter()
        for row in rows:
            if (row["judge"], row["prompts"]) in chosen:
                reasons[row["reason"]] += row["count"]
        return reasons

    def count_low_mass(self, judge: Judge, images: Collection[str]) -> int:
        """On how many questions about images a judge's words decided, since Yes and No together weighed too little."""
        (row,) = self.store.rows(
            "SELECT count(*) AS count FROM verdicts WHERE status = 'ok' AND mass < ? AND judge = ? AND prompts = ? "
            "AND image IN (SELECT value FROM json_each(?))",
            LEAST_MASS,
            judge.id,
            judge.prompts,
            json.dumps(list(images)),
        )
        return int(row["count"])

    def clear_digests(self, digests: Iterable[str]) -> set[str]:
        """Those of some digests under which clear verdicts are kept: their questions need not be asked again."""
        return self._clear("verdicts", digests)

    def promote(self, keys: Mapping[str, VerdictKey]) -> set[str]:
        """Make results of clear verdicts that only a check has so far.

        Args:
            keys: the verdicts that are looked for, by their digests.

        Returns:
            The digests of those that the check had.
        """
        promoted = self._clear("check_verdicts", keys)
        if not promoted:
            return set()
        with self.store.writing():
            for digest in promoted:
                self._copy("check_verdicts", digest, digest, keys[digest])
        return promoted

    def adopt(self, judge: int, former: Mapping[str, tuple[str, VerdictKey]]) -> None:
        """Let clear verdicts count for a judge that are kept under another identity of the same critic.

        Args:
            judge: the judge.
            former: the keys that are looked for, each with its digest, by the digest under the other identity.
        """
        own = self.clear_digests(digest for digest, _ in former.values())
        kept = [old for old in self._clear("verdicts", former) if former[old][0] not in own]
        if not kept:
            return
        with self.store.writing():
            for old in kept:
                digest, key = former[old]
                self._copy("verdicts", old, digest, key)
                self.store.db.execute("UPDATE verdicts SET judge = ? WHERE key = ?", [judge, digest])

    def copy_to_equal(self, judge: int, keys: Iterable[tuple[str, VerdictKey]]) -> None:
        """Let clear verdicts of a judge count for these keys too, whose digests they have.

        Reports find verdicts by files and set of prompts, digests are of pixels and words: where equal pixels lie in
        another file, or equal words in another set, a copy stands for them, and nothing is asked twice.
        """
        sql = (
            "SELECT prompts, coalesce(words, prompt), image, reference, aspect FROM verdicts "
            "WHERE judge = ? AND status = 'ok'"
        )
        with self.store.reading() as database:
            places = set(database.execute(sql, [judge]))
        missing = {
            key.place: (digest, key) for digest, key in keys if key.place not in places and key.old_place not in places
        }
        if not missing:
            return
        with self.store.writing():
            for digest, key in missing.values():
                copy = hashlib.sha256(json.dumps([digest, *key.place]).encode()).hexdigest()
                self._copy("verdicts", digest, copy, key)

    def _clear(self, table: str, digests: Iterable[str]) -> set[str]:
        """Those of some digests under which a table has clear verdicts."""
        sql = f"SELECT key FROM {table} WHERE status = 'ok' AND key IN (SELECT value FROM json_each(?))"
        return {row["key"] for row in self.store.rows(sql, json.dumps(list(digests)))}

    def _copy(self, table: str, digest: str, under: str, key: VerdictKey) -> None:
        """Make a clear verdict of a table a result of a key's files and words, under another digest."""
        same = "judge, aspect, prompt, status, verdict, probability, mass, answer, reason, seconds, created"
        self.store.db.execute(
            f"INSERT OR REPLACE INTO verdicts (key, prompts, image, reference, words, {same}) "
            f"SELECT ?, ?, ?, ?, ?, {same} FROM {table} WHERE key = ? AND status = 'ok'",
            [under, key.prompts, key.image, key.reference, key.words, digest],
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
                    "words": key.words,
                    "status": reply.status,
                    "verdict": None if reply.yes is None else int(reply.yes),
                    "probability": reply.probability,
                    "mass": reply.mass,
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
