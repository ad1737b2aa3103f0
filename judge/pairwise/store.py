"""Choices in the database: which of two pictures a critic called better, each order of each aspect once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from judge.answer_words import CHOICES, Choice
from judge.identity import Identity
from judge.pair_questions import PairQuestion
from judge.questions import Aspect, Reply
from judge.reply_store import ReplyStore, digest_of, judges_in, sound
from judge.sights import Sight
from judge.verdicts import Judge

IDENTICAL = "identical pictures: nothing was asked"  # the reason of a tie that needs no critic


@dataclass(frozen=True)
class PairKey:
    """Everything that decides a critic's choice, and the files that it is about."""

    aspect: Aspect
    prompts: str  # version of the set
    prompt: str  # as rendered, with a mark for each picture
    reading: str  # how the answer is read
    first: str  # SHA-256 of the file that is shown first
    second: str
    references: tuple[str, ...]  # of the files, in the order they are shown
    pixels: tuple[str, ...]  # digests of all pictures as the critic sees them, in the order they are shown
    words: str = ""  # of the style, where the question names it

    @classmethod
    def of(cls, question: PairQuestion, prompts: str, sights: Sequence[Sight]) -> PairKey:
        """The key of a question, from how its pictures are seen."""
        *references, first, second = sights
        return cls(
            aspect=question.aspect,
            prompts=prompts,
            prompt=f"{question.system}\n{'<image>'.join(question.parts)}",
            reading=json.dumps(asdict(question.form)),
            first=first.sha256,
            second=second.sha256,
            references=tuple(sight.sha256 for sight in references),
            pixels=tuple(sight.pixels for sight in sights),
            words=question.words,
        )

    @property
    def place(self) -> tuple[str, ...]:
        """The words, files and aspect by which reports find a choice of any critic."""
        return self.prompts, self.words, self.first, self.second, json.dumps(self.references), self.aspect

    @property
    def settled(self) -> Reply | None:
        """Of two pictures that are the same, a tie."""
        return Reply("ok", "tie", reason=IDENTICAL) if self.pixels[-1] == self.pixels[-2] else None

    def digest(self, identity: Identity) -> str:
        """The digest under which the choice of a critic of this identity is kept; files do not enter it, pixels do."""
        return digest_of(identity, self.prompt, self.pixels, self.reading)

    def columns(self) -> dict[str, Any]:
        """The question's columns."""
        return {
            "prompts": self.prompts,
            "aspect": self.aspect,
            "first_image": sound(self.first),
            "second_image": sound(self.second),
            "reference_images": sound(json.dumps(self.references)),
            "prompt": self.prompt,
            "words": self.words,
        }


class PairStore(ReplyStore[PairKey]):
    """Choices in an open store."""

    table = results = "pair_verdicts"
    answer_column = "choice"

    def answer_of(self, reply: Reply) -> Choice | None:
        """The choice."""
        return next((choice for choice in CHOICES if choice == reply.answer), None)

    def judge_of(self, identity: Identity, prompts: str) -> Judge:
        """The judge that a critic of this identity is with a version of prompts."""
        kept, critic = self.known_identity(identity), str(identity["critic"])
        return Judge(self.judge_id(critic, kept), critic, prompts, {key: str(value) for key, value in kept.items()})

    def places(self, judge: int, keys: Collection[PairKey]) -> set[tuple[object, ...]]:
        """The places of a judge's clear choices, those of some keys."""
        sql = (
            "SELECT prompts, words, first_image, second_image, reference_images, aspect FROM pair_verdicts "
            "WHERE judge = ? AND status = 'ok'"
        )
        wanted: set[tuple[object, ...]] = {key.place for key in keys}
        with self.store.reading() as database:
            return wanted.intersection(database.execute(sql, [judge]))


@dataclass(frozen=True)
class StoredChoice:
    """What became of one question."""

    choice: Choice | None  # None: failed or unparsed
    identical: bool = False  # whether both pictures are the same, so that nothing was asked
    reason: str = ""  # why there is no choice


@dataclass(frozen=True)
class PairFiles:
    """A question about two pictures by the digests of the files, in one order."""

    aspect: Aspect
    first: str
    second: str
    references: tuple[str, ...]
    words: str  # of the style


class PairChoices:
    """A judge's choices by question."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Takes rows of choices, the best last."""
        self._rows: dict[tuple[str, str, str], list[tuple[tuple[str, ...], Mapping[str, Any]]]] = {}
        for row in rows:
            files = row["aspect"], row["first_image"], row["second_image"]
            self._rows.setdefault(files, []).append((tuple(json.loads(row["reference_images"])), row))

    def find(self, files: PairFiles) -> StoredChoice | None:
        """The choice between two pictures; None where it was not asked for.

        A set of prompts may show the first references alone: those are compared then.
        """
        for references, row in reversed(self._rows.get((files.aspect, files.first, files.second), [])):
            if references == files.references[: len(references)] and row["words"] in ("", files.words):
                return StoredChoice(row["choice"], row["status"] == "ok" and row["reason"] == IDENTICAL, row["reason"])
        return None


def read_choices(database: sqlite3.Connection, judge: Judge) -> PairChoices:
    """A judge's choices."""
    columns = "aspect", "first_image", "second_image", "reference_images", "words", "status", "choice", "reason"
    rows = database.execute(
        f"SELECT {', '.join(columns)} FROM pair_verdicts WHERE judge = ? AND prompts = ? "
        "ORDER BY status = 'ok', created",
        [judge.id, judge.prompts],
    )
    return PairChoices(dict(zip(columns, row, strict=True)) for row in rows)


def read_pair_judges(database: sqlite3.Connection) -> list[Judge]:
    """The judges that were asked about pairs, the latest first."""
    rows = database.execute(judges_in("pair_verdicts"))
    return [Judge(number, critic, prompts, json.loads(identity)) for number, critic, prompts, identity in rows]
