"""Verdicts in the database: what critics said of one picture beside one reference (``judge.reply_store``)."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from judge.answer_words import YES_NO
from judge.identity import Identity
from judge.protocol import Answer
from judge.questions import Aspect, Reply, Status
from judge.reading import LEAST_MASS
from judge.reply_store import ReplyStore, digest_of, judges_in, sound
from lorarar.util.grouping import parts_of
from lorarar.util.statistics.odds import logit

if TYPE_CHECKING:
    from judge.questions import Prompts, Question
    from judge.sights import Sight

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

    @classmethod
    def of(cls, question: Question, prompts: Prompts, sights: Sequence[Sight]) -> VerdictKey:
        """The key of a question in some prompts, from how its reference and its picture are seen."""
        reference, test = sights
        return cls(
            aspect=question.aspect,
            prompts=prompts.version,
            prompt=f"{question.system}\n{question.rendered.text()}",
            image=test.sha256,
            reference=reference.sha256,
            pixels=(reference.pixels, test.pixels),
            words=question.rendered.words,
            reading="" if question.form == YES_NO else json.dumps(asdict(question.form)),
        )

    @property
    def place(self) -> Place:
        """The words, files and aspect by which reports find a verdict of any critic."""
        return self.prompts, self.words, self.image, self.reference, self.aspect

    @property
    def old_place(self) -> Place:
        """The place of a verdict from before the words were kept: its whole prompt stands for them."""
        return self.prompts, self.prompt, self.image, self.reference, self.aspect

    @property
    def settled(self) -> None:
        """Every verdict is a critic's."""

    def digest(self, identity: Identity) -> str:
        """The digest under which a verdict by a critic of this identity is kept; files do not enter it, pixels do."""
        return digest_of(identity, self.prompt, self.pixels, self.reading)

    def columns(self) -> dict[str, Any]:
        """The question's columns."""
        return {
            "prompts": self.prompts,
            "aspect": self.aspect,
            "image": sound(self.image),
            "reference": sound(self.reference),
            "prompt": self.prompt,
            "words": self.words,
        }


class Verdict(NamedTuple):
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
        fitting = (row for row in rows if is_asked_in(key.words, row["words"], row["aspect"], row["prompt"]))
        return next(fitting, None)


def is_asked_in(wanted: str | None, words: str | None, aspect: str, prompt: str) -> bool:
    """Whether a question counts for a style's words: it was asked in them, or needs none.

    Args:
        wanted: the style's words; None where they are not known, and any count.
        words: of the question; None where nobody knows them.
        aspect: that it is about.
        prompt: the whole question, which is read where its words are not known.
    """
    if words in (wanted, "") or wanted is None:
        return True
    return words is None and (aspect == "subject" or says(prompt, wanted))


@lru_cache(maxsize=4096)
def says(prompt: str, words: str) -> bool:
    """Whether words stand in a prompt, none of them a part of a longer one."""
    return bool(re.search(rf"(?<!\w){re.escape(words)}(?!\w)", prompt))


#: How good rows are for one question, the best last: asked in words that are known, and clear; of a second's the last.
BEST_LAST = "words IS NOT NULL, status = 'ok', created, rowid"


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


@dataclass(frozen=True)
class JudgeFilter:
    """Which judges are meant."""

    critics: tuple[str, ...] = ()  # none: any
    prompts: str | None = None  # a name or a version; None: any
    numbers: tuple[int, ...] = ()  # in the database; none: any

    @property
    def each(self) -> list[JudgeFilter]:
        """The same for each of the critics and numbers alone: a judge, or each member of a jury."""
        critics: list[tuple[str, ...]] = [(name,) for name in self.critics]
        numbers: list[tuple[int, ...]] = [(number,) for number in self.numbers]
        return [JudgeFilter(name, self.prompts, number) for name in critics or [()] for number in numbers or [()]]

    def means(self, judge: Judge) -> bool:
        """Whether a judge is meant."""
        return (
            (not self.critics or judge.critic in self.critics)
            and (not self.numbers or judge.id in self.numbers)
            and (self.prompts in (None, judge.prompts) or judge.prompts.startswith(f"{self.prompts}-"))
        )


ANY_JUDGE = JudgeFilter()

_JUDGES = judges_in("verdicts")
_OF_IMAGES = "INDEXED BY verdicts_by_image WHERE image IN (SELECT value FROM json_each(?))"
_AT_ONCE = 2000  # images whose verdicts are looked up together


def read_judges(database: sqlite3.Connection) -> list[Judge]:
    """The judges that have verdicts, the latest first; their settings are left out."""
    return [Judge(number, critic, prompts) for number, critic, prompts, _ in database.execute(_JUDGES)]


class VerdictStore(ReplyStore[VerdictKey]):
    """The judge's side of an open store."""

    table = results = "verdicts"
    answer_column = "verdict"

    def answer_of(self, reply: Reply) -> int | None:
        """1 for yes and 0 for no."""
        return None if reply.yes is None else int(reply.yes)

    def judges(self) -> list[Judge]:
        """The judges that have verdicts, the latest first."""
        return [Judge(**row | {"identity": json.loads(row["identity"])}) for row in self.store.rows(_JUDGES)]

    def find_judge(self, identity: Identity, prompts: str) -> Judge | None:
        """The judge that is a critic of this identity with a version of prompts; None where it has no verdicts."""
        own = self.known_identity(identity)
        fitting = (judge for judge in self.judges() if (judge.identity, judge.prompts) == (own, prompts))
        return next(fitting, None)

    def of(self, judge: Judge, images: Collection[str] | None = None) -> JudgeVerdicts:
        """A judge's verdicts, row by row: those on some images, or without any all, which may be millions."""
        columns = "image", "reference", "aspect", "words", "prompt", "status", "verdict", "probability"
        where, values = "WHERE judge = ? AND prompts = ?", [judge.id, judge.prompts]
        if images is not None:
            where, values = f"{_OF_IMAGES} AND judge = ? AND prompts = ?", [json.dumps([*images]), *values]
        sql = f"SELECT {', '.join(columns)} FROM verdicts {where} ORDER BY {BEST_LAST}"
        with self.store.reading() as database:
            return JudgeVerdicts(dict(zip(columns, row, strict=True)) for row in database.execute(sql, values))

    def reasons(self, judges: Iterable[Judge], images: Collection[str]) -> Counter[str]:
        """Why judges have no clear answers to questions about images, and how often."""
        reasons, meant = Counter[str](), set(images)
        sql = "SELECT image, reason FROM verdicts WHERE status <> 'ok' AND judge = ? AND prompts = ?"
        with self.store.reading() as database:
            for judge in judges:
                rows = database.execute(sql, [judge.id, judge.prompts])
                reasons.update(reason for image, reason in rows if image in meant)
        return reasons

    def count_low_mass(self, judge: Judge, images: Collection[str]) -> int:
        """On how many questions about images a judge's words decided, since Yes and No together weighed too little."""
        sql = f"SELECT image FROM verdicts WHERE status = 'ok' AND mass < {LEAST_MASS} AND judge = ? AND prompts = ?"
        meant = set(images)
        with self.store.reading() as database:
            return sum(image in meant for (image,) in database.execute(sql, [judge.id, judge.prompts]))

    def promote(self, keys: Mapping[str, VerdictKey]) -> set[str]:
        """Make results of clear verdicts that only a check has so far.

        Args:
            keys: the verdicts that are looked for, by their digests.

        Returns:
            The digests of those that the check had.
        """
        promoted = self.clear_in("check_verdicts", keys)
        if not promoted:
            return set()
        with self.store.writing():
            for digest in promoted:
                self.copy("check_verdicts", digest, digest, keys[digest])
        return promoted

    def places(self, judge: int, keys: Collection[VerdictKey]) -> set[tuple[object, ...]]:
        """The places of a judge's clear verdicts; of those from before the words were kept, the old ones."""
        sql = f"""
            SELECT prompts, coalesce(words, prompt), image, reference, aspect FROM verdicts {_OF_IMAGES}
            AND judge = ? AND status = 'ok'"""
        places = set[tuple[object, ...]]()
        with self.store.reading() as database:
            for images in parts_of(dict.fromkeys(key.image for key in keys), _AT_ONCE):
                places.update(database.execute(sql, [json.dumps(images), judge]))
        return places

    def clear_rows(self, judge: int, prompts: str, images: Collection[str]) -> dict[str, tuple[str, str, str, str]]:
        """A judge's clear verdicts on images, by digest: the image, the reference, the aspect and the style's words."""
        sql = f"""
            SELECT key, image, reference, aspect, words FROM verdicts {_OF_IMAGES}
            AND judge = ? AND prompts = ? AND status = 'ok'"""
        with self.store.reading() as database:
            return {row[0]: row[1:] for row in database.execute(sql, [json.dumps([*images]), judge, prompts])}

    def is_in(self, places: set[tuple[object, ...]], key: VerdictKey) -> bool:
        """Whether a key's verdict is at one of some places, new or old."""
        return key.place in places or key.old_place in places


def verdict_of(row: Mapping[str, Any]) -> Verdict:
    """The verdict of a row with its status, verdict and probability."""
    answer = None if row["verdict"] is None else bool(row["verdict"])
    return Verdict(row["status"], answer, row["probability"])
