"""What critics reply, in a table of the database: each question once, by a digest of everything that decides it.

A reply that failed or could not be parsed is kept with its reason and asked again by the next run; one that is clear is
never asked again under the same digest, and changed settings have other digests. Each kind of questions has a table
and a store of its own, which says what a question's columns are.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from judge.identity import Identity, known_identities
from judge.questions import Reply
from lorarar import __version__
from lorarar.util.clock import now

if TYPE_CHECKING:
    from lorarar.store import Store


class ReplyKey(Protocol):
    """Everything that decides a critic's answer to a question, and the files that the answer is about."""

    @property
    def place(self) -> tuple[object, ...]:
        """The words, files and aspect by which reports find a reply of any critic."""

    @property
    def settled(self) -> Reply | None:
        """The reply that needs no asking; None where a critic decides."""

    def digest(self, identity: Identity) -> str:
        """The digest under which a reply of a critic of this identity is kept; files do not enter it, pixels do."""

    def columns(self) -> dict[str, Any]:
        """The question's columns, without what a store adds of itself."""


K = TypeVar("K", bound=ReplyKey)


def judges_in(table: str) -> str:
    """The query of the judges that have replies in a table: id, critic, prompts and identity, the latest first.

    It looks into the table's index of judges, prompts and times once a judge, and not at its rows.
    """
    return f"""
        WITH RECURSIVE asked(judge, prompts) AS (
            SELECT id, (SELECT min(prompts) FROM {table} WHERE judge = judges.id) FROM judges
            UNION ALL
            SELECT judge, (SELECT min(r.prompts) FROM {table} r WHERE r.judge = a.judge AND r.prompts > a.prompts)
            FROM asked a WHERE prompts IS NOT NULL)
        SELECT j.id, j.critic, a.prompts, j.identity FROM asked a JOIN judges j ON j.id = a.judge
        WHERE a.prompts IS NOT NULL
        ORDER BY (SELECT max(created) FROM {table} r WHERE r.judge = a.judge AND r.prompts = a.prompts) DESC,
            j.id DESC"""


def digest_of(identity: Identity, prompt: str, pixels: Sequence[str], reading: str = "") -> str:
    """The digest of a question to a critic.

    Args:
        identity: the critic's.
        prompt: the question as rendered, with a mark for each picture.
        pixels: digests of the pictures as the critic sees them, in the order they are shown.
        reading: how its answer is read, where it is not Yes or No.
    """
    digest = begun_digest(identity, prompt, reading).copy()
    digest.update(f', "shown": {json.dumps(pixels)}}}'.encode())
    return digest.hexdigest()


def begun_digest(identity: Identity, prompt: str, reading: str = "") -> hashlib._Hash:
    """``digest_of`` up to the pictures that are shown; whoever goes on takes a copy."""
    return _begun_digest(tuple(identity.items()), prompt, reading)


@lru_cache(maxsize=4096)
def _begun_digest(identity: tuple[tuple[str, object], ...], prompt: str, reading: str) -> hashlib._Hash:
    """``digest_of`` up to the pictures that are shown, which come last in it; how Yes or No is read is none of it."""
    decides = {"identity": dict(identity), "prompt": prompt} | ({"reading": reading} if reading else {})
    facts = json.dumps(decides, sort_keys=True)
    return hashlib.sha256(facts.removesuffix("}").encode())


class ReplyStore(ABC, Generic[K]):
    """A table of replies in an open store."""

    table: ClassVar[str]  # where replies are kept
    results: ClassVar[str]  # where they count as results: mostly the same table
    answer_column: ClassVar[str]  # of the answer; the critic's words are in another

    def __init__(self, store: Store) -> None:
        from judge.schema import SCHEMA

        self.store = store
        store.extend(SCHEMA)

    @abstractmethod
    def answer_of(self, reply: Reply) -> int | str | None:
        """What the column of the answer holds."""

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

    def known_identities(self, identity: Identity) -> Sequence[Identity]:
        """The identities under which this database knows a critic; the first enters the digests of new replies."""
        rows = self.store.rows("SELECT identity FROM judges ORDER BY id DESC")
        return known_identities(identity, (json.loads(row["identity"]) for row in rows))

    def known_identity(self, identity: Identity) -> Identity:
        """The identity under which this database keeps a critic's replies; its own where it is new."""
        return self.known_identities(identity)[0]

    def clear_digests(self, digests: Iterable[str]) -> set[str]:
        """Those of some digests under which clear replies are kept: their questions need not be asked again."""
        return self.clear_in(self.results, digests)

    def promote(self, keys: Mapping[str, K]) -> set[str]:
        """Make results of clear replies that are kept elsewhere so far; return their digests. There are none."""
        return set()

    def adopt(self, judge: int, former: Mapping[str, tuple[str, K]]) -> None:
        """Let clear replies count for a judge that are kept under another identity of the same critic.

        Args:
            judge: the judge.
            former: the keys that are looked for, each with its digest, by the digest under the other identity.
        """
        own = self.clear_digests(digest for digest, _ in former.values())
        kept = [old for old in self.clear_in(self.results, former) if former[old][0] not in own]
        if not kept:
            return
        with self.store.writing():
            for old in kept:
                digest, key = former[old]
                self.copy(self.results, old, digest, key)
                self.store.db.execute(f"UPDATE {self.results} SET judge = ? WHERE key = ?", [judge, digest])

    def copy_to_equal(self, judge: int, keys: Iterable[tuple[str, K]]) -> None:
        """Let clear replies to a judge's questions count for these keys too, whose digests they have.

        Reports find replies by files and set of prompts, digests are of pixels and words: where equal pixels lie in
        another file, or equal words in another set, a copy stands for them, and nothing is asked twice.
        """
        pairs = list(keys)
        places = self.places(judge, [key for _, key in pairs])
        missing = {key.place: (digest, key) for digest, key in pairs if not self.is_in(places, key)}
        if not missing:
            return
        with self.store.writing():
            for digest, key in missing.values():
                under = hashlib.sha256(json.dumps([digest, *key.place]).encode()).hexdigest()
                self.copy(self.results, digest, under, key)

    @abstractmethod
    def places(self, judge: int, keys: Collection[K]) -> set[tuple[object, ...]]:
        """The places of a judge's clear replies, at least those of some keys."""

    def is_in(self, places: set[tuple[object, ...]], key: K) -> bool:
        """Whether a key's reply is at one of some places."""
        return key.place in places

    def clear_in(self, table: str, digests: Iterable[str]) -> set[str]:
        """Those of some digests under which a table has clear replies."""
        sql = f"SELECT key FROM {table} WHERE status = 'ok' AND key IN (SELECT value FROM json_each(?))"
        return {row["key"] for row in self.store.rows(sql, json.dumps(list(digests)))}

    def copy(self, table: str, digest: str, under: str, key: K) -> None:
        """Make a clear reply of a table a result of a key's files and words, under another digest."""
        own = key.columns()
        same = f"judge, status, {self.answer_column}, probability, mass, answer, reason, seconds, created"
        self.store.db.execute(
            f"INSERT OR REPLACE INTO {self.results} (key, {', '.join(own)}, {same}) "
            f"SELECT ?, {', '.join('?' * len(own))}, {same} FROM {table} WHERE key = ? AND status = 'ok'",
            [under, *own.values(), digest],
        )

    def add(self, judge: int, replies: Sequence[tuple[str, K, Reply]]) -> None:
        """Keep replies by their digests; a clear one replaces one that was not."""
        created = now()
        with self.store.writing():
            for digest, key, reply in replies:
                row: dict[str, Any] = {
                    "key": digest,
                    "judge": judge,
                    **key.columns(),
                    "status": reply.status,
                    self.answer_column: self.answer_of(reply),
                    "probability": reply.probability,
                    "mass": reply.mass,
                    "answer": sound(reply.text),
                    "reason": sound(reply.reason),
                    "seconds": reply.seconds,
                    "created": created,
                }
                names, places = ", ".join(row), ", ".join(f":{name}" for name in row)
                self.store.db.execute(
                    f"INSERT INTO {self.table} ({names}) VALUES ({places}) ON CONFLICT (key) DO UPDATE SET "
                    + ", ".join(f"{name} = excluded.{name}" for name in row if name != "key")
                    + f" WHERE {self.table}.status <> 'ok'",
                    row,
                )


def sound(text: str) -> str:
    """A text from outside as SQLite takes it: half a character (a server's cut emoji, a file's name) is spelt out."""
    return text.encode("utf-8", "backslashreplace").decode()
