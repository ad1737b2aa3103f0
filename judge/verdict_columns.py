"""Verdicts on many pictures, read in one pass over the table into columns: a byte a question, and no row is held.

A picture's questions stand one after the other, those about its subject first, each beside a reference; what a judge
said to one is a code in a column of that judge. Which verdicts count is as ``judge.verdicts.JudgeVerdicts`` has it,
which decides itself where several rows could stand for one question.

Plain sqlite3 and no numpy, as the app reads verdicts too.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import isnan, nan
from typing import Any

from judge.picture_files import PictureFiles
from judge.protocol import Answer, majority_of_counts
from judge.questions import Status
from judge.verdicts import BEST_LAST, NOT_ASKED, Judge, JudgeVerdicts, QuestionKey, Verdict, is_asked_in

JudgeKey = tuple[int, str]  # the judge's id and its prompts
Offsets = Mapping[str, tuple[int, ...]]  # of the questions beside a reference, by its digest
Place = tuple[int, Offsets, Offsets, str | None]  # a picture's first question, those of both aspects, its style's words
UNASKED, NO, YES, FAILED, UNPARSED = range(5)
_STATUSES: dict[int, Status] = {NO: "ok", YES: "ok", FAILED: "failed", UNPARSED: "unparsed"}
_CODE = f"coalesce({NO} + verdict, iif(status = 'failed', {FAILED}, {UNPARSED}))"
_PROMPT = "iif(words IS NULL, prompt, '')"  # long, and needed there alone
LOOK_UP = 40  # rows of the table that are passed over as fast as one picture's verdicts are looked up


@dataclass
class VerdictColumn:
    """What one judge said to the questions about some pictures."""

    codes: bytearray  # one a question
    chances: array[float]  # of yes, by question, NaN where none is given; empty where they were not asked for
    contested: dict[int, QuestionKey] = field(default_factory=dict)  # questions that several rows could answer

    @property
    def clear(self) -> int:
        """How many questions are clearly answered."""
        return self.codes.count(YES) + self.codes.count(NO)

    def answer(self, questions: slice) -> Answer:
        """Whether most of some questions, those about one aspect of a picture, are answered with yes."""
        codes = self.codes[questions]
        yes = codes.count(YES)
        return majority_of_counts(yes, yes + codes.count(NO), len(codes))

    def verdicts(self, questions: slice) -> tuple[Verdict, ...]:
        """The verdicts on some questions, with their chances where those were asked for."""
        if self.chances:
            return tuple(map(_verdict, self.codes[questions], self.chances[questions]))
        return _of_codes(bytes(self.codes[questions]))

    def settle(self, database: sqlite3.Connection, judge: JudgeKey) -> None:
        """Let the best row answer each question that several could answer."""
        for question, key in self.contested.items():
            row = _contenders(database, judge, key.image).row(key)
            self.codes[question] = row["code"] if row else UNASKED
            if self.chances:
                self.chances[question] = nan if row is None or row["probability"] is None else row["probability"]


class QuestionPlaces:
    """Where the questions about some pictures stand in columns."""

    def __init__(self, pictures: Sequence[PictureFiles]) -> None:
        self.pictures = pictures
        self._starts = array("q", [0])
        self._by_image: dict[str, tuple[Place, ...]] = {}
        offsets = lru_cache(maxsize=None)(_offsets)
        for one in pictures:
            start, subjects = self._starts[-1], len(one.subject)
            place = start, offsets(one.subject), offsets(one.style, subjects), one.words
            self._by_image[one.image] = (*self._by_image.get(one.image, ()), place)
            self._starts.append(start + subjects + len(one.style))

    def __iter__(self) -> Iterator[tuple[slice, slice]]:
        """The questions about the subject, and about the style, of each picture."""
        for number, one in enumerate(self.pictures):
            start = self._starts[number]
            middle = start + len(one.subject)
            yield slice(start, middle), slice(middle, self._starts[number + 1])

    def read(
        self, database: sqlite3.Connection, judge: Judge | None = None, *, chances: bool = False
    ) -> dict[JudgeKey, VerdictColumn]:
        """What one judge, or every judge, said to these questions; those who were asked none of them are left out."""
        columns: dict[JudgeKey, VerdictColumn] = {}
        find, column, key = self._by_image.get, self.empty(), (0, "")
        rows = self._rows(database, judge, "probability" if chances else "NULL")
        for number, prompts, image, reference, aspect, words, prompt, code, chance in rows:
            for start, subject, style, own in find(image, ()):
                offsets = (subject if aspect == "subject" else style).get(reference)
                if offsets is None or (words not in (own, "") and not is_asked_in(own, words, aspect, prompt)):
                    continue
                if key != (number, prompts):  # rows of one judge mostly follow each other
                    key = number, prompts
                    if key not in columns:
                        columns[key] = self.empty(chances=chances)
                    column = columns[key]
                for offset in offsets:
                    if column.codes[start + offset]:
                        column.contested[start + offset] = QuestionKey(image, reference, aspect, own)
                    column.codes[start + offset] = code
                    if chance is not None:
                        column.chances[start + offset] = chance
        for of, one in columns.items():
            one.settle(database, of)
        return columns

    def column(self, database: sqlite3.Connection, judge: Judge) -> VerdictColumn:
        """What a judge said to these questions, with the chances of yes."""
        return self.read(database, judge, chances=True).get((judge.id, judge.prompts)) or self.empty(chances=True)

    def empty(self, *, chances: bool = False) -> VerdictColumn:
        """The column of a judge who was asked none of these questions."""
        size = self._starts[-1]
        return VerdictColumn(bytearray(size), array("d", [nan]) * (size if chances else 0))

    def _rows(self, database: sqlite3.Connection, judge: Judge | None, chance: str) -> sqlite3.Cursor:
        """The rows of verdicts that may be on these pictures: those of a few are looked up, for many all are passed."""
        sql = f"SELECT judge, prompts, image, reference, aspect, words, {_PROMPT}, {_CODE}, {chance} FROM verdicts"
        conditions, values = [], dict[str, Any]()
        (rows,) = database.execute("SELECT coalesce(max(rowid), 0) FROM verdicts").fetchone()
        if LOOK_UP * len(self._by_image) < rows:
            conditions.append("image IN (SELECT value FROM json_each(:images))")
            values["images"] = json.dumps(list(self._by_image))
        if judge is not None:
            conditions.append("judge = :judge AND prompts = :prompts")
            values |= {"judge": judge.id, "prompts": judge.prompts}
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return database.execute(sql + where, values)


def _offsets(references: tuple[str, ...], first: int = 0) -> Offsets:
    """The places of the questions beside references among a picture's; a reference may be there twice."""
    offsets: dict[str, tuple[int, ...]] = {}
    for at, reference in enumerate(references, first):
        offsets[reference] = (*offsets.get(reference, ()), at)
    return offsets


def _verdict(code: int, chance: float) -> Verdict:
    if code == UNASKED:
        return NOT_ASKED
    answer = None if code > YES else code == YES
    return Verdict(_STATUSES[code], answer, None if isnan(chance) else chance)


@lru_cache(maxsize=4096)
def _of_codes(codes: bytes) -> tuple[Verdict, ...]:
    """Verdicts without chances, which so many pictures have in common that each is made once."""
    return tuple(_verdict(code, nan) for code in codes)


def _contenders(database: sqlite3.Connection, judge: JudgeKey, image: str) -> JudgeVerdicts:
    """A judge's verdicts on a picture, row by row."""
    columns = "image", "reference", "aspect", "words", "prompt", "probability"
    rows = database.execute(
        f"SELECT {', '.join(columns)}, {_CODE} FROM verdicts WHERE image = ? AND judge = ? AND prompts = ? "
        f"ORDER BY {BEST_LAST}",
        [image, *judge],
    )
    return JudgeVerdicts(dict(zip((*columns, "code"), row, strict=True)) for row in rows)
