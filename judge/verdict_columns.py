"""Verdicts on many pictures, read in one pass over the table into columns: a byte a question, and no row is held.

A picture's questions stand one after the other, those about its subject first, each beside a reference; what a judge
said to one is a code in a column of that judge. Which verdicts count is as ``judge.verdicts.JudgeVerdicts`` has it,
which decides itself where several rows could stand for one question, and where nobody knows a row's words. All that
codes take is in one index, a fifth of the table, picture by picture.

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

from judge.picture_files import PictureFiles
from judge.protocol import Answer, majority_of_counts
from judge.questions import Aspect, Status
from judge.verdicts import BEST_LAST, NOT_ASKED, Judge, JudgeVerdicts, QuestionKey, Verdict

JudgeKey = tuple[int, str]  # the judge's id and its prompts
Offsets = Mapping[str, tuple[int, ...]]  # of the questions beside a reference, by its digest
Place = tuple[int, "_Layout"]  # a picture's first question, and how its questions lie from there
Group = tuple[tuple[Aspect, ...], str, str]  # aspects, references and words of a judge's rows on a picture
UNASKED, NO, YES, FAILED, UNPARSED = range(5)
_STATUSES: dict[int, Status] = {NO: "ok", YES: "ok", FAILED: "failed", UNPARSED: "unparsed"}
_CODE = f"coalesce({NO} + verdict, iif(status = 'failed', {FAILED}, {UNPARSED}))"
_STYLE = UNPARSED  # is added to codes about the style where both aspects stand in one text
SEPARATOR = "|"  # of texts of which many are read as one
LOOK_UP = 40  # rows of the table that are passed over as fast as one picture's verdicts are looked up


#: Rows of one judge on one picture as one, in the order in which the index has them. A digit is what a row says, and
#: of which aspect; the other texts are the same for all pictures of a pair. A row whose words nobody knows puts in one
#: separator more.
_GROUPS = f"""
    SELECT image, judge, prompts, group_concat({_CODE} + iif(aspect = 'style', {_STYLE}, 0), ''),
        group_concat(reference, '{SEPARATOR}'), group_concat(coalesce(words, '{SEPARATOR}'), '{SEPARATOR}')
    FROM verdicts INDEXED BY verdicts_by_image"""


@dataclass
class VerdictColumn:
    """What one judge said to the questions about some pictures."""

    codes: bytearray  # one a question
    chances: array[float]  # of yes, by question, NaN where none is given; empty where they were not asked for
    contested: dict[int, QuestionKey] = field(default_factory=dict)  # questions whose rows have to be compared

    @property
    def clear(self) -> int:
        """How many questions are clearly answered."""
        return self.codes.count(YES) + self.codes.count(NO)

    @property
    def is_asked(self) -> bool:
        """Whether any question was asked."""
        return self.codes.count(UNASKED) < len(self.codes)

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
        """Let the best row answer each question that several could answer, or one whose words nobody knows."""
        contenders = lru_cache(maxsize=1)(_contenders)  # questions about a picture follow each other
        for question, key in self.contested.items():
            row = contenders(database, judge, key.image).row(key)
            self.codes[question] = row["code"] if row else UNASKED
            if self.chances:
                self.chances[question] = nan if row is None or row["probability"] is None else row["probability"]


@lru_cache(maxsize=4096)
def _aspects(digits: str) -> tuple[Aspect, ...]:
    """Which aspects rows are about."""
    return tuple("style" if int(digit) > _STYLE else "subject" for digit in digits)


class _Plan(dict[str, bytes]):
    """The codes of questions about a picture from the digits of a group of rows; those of a pair have few of them."""

    def __init__(self, row_of: tuple[int | None, ...]) -> None:
        """Takes the row that answers each question, None where there is none."""
        self._row_of = row_of

    def __missing__(self, digits: str) -> bytes:
        codes = self[digits] = bytes(
            UNASKED if row is None else (int(digits[row]) - 1) % _STYLE + 1 for row in self._row_of
        )
        return codes


_plan = lru_cache(maxsize=4096)(_Plan)  # pairs whose references lie in the same order have one


class _Layout:
    """How the questions about pictures of one pair lie: beside which references, in which words."""

    def __init__(self, subject: tuple[str, ...], style: tuple[str, ...], words: str | None) -> None:
        self.words, self.size = words, len(subject) + len(style)
        self.offsets: Mapping[str, Offsets] = {"subject": _offsets(subject), "style": _offsets(style, len(subject))}
        self.plans: dict[Group, _Plan | None] = {}
        self._questions: list[tuple[str, Aspect]] = [(one, "subject") for one in subject]
        self._questions += [(one, "style") for one in style]

    def counts(self, words: str | None) -> bool:
        """Whether a question in some words may count here; where nobody knows them its row has to be looked at."""
        return not words or self.words in (words, None)

    def plan(self, group: Group) -> _Plan | None:
        """How a group of rows answers the questions; None where rows have to be compared."""
        if group not in self.plans:
            self.plans[group] = self._new_plan(*group)
        return self.plans[group]

    def key(self, image: str, question: int) -> QuestionKey:
        """A question about an image."""
        return QuestionKey(image, *self._questions[question], self.words)

    def _new_plan(self, aspects: tuple[Aspect, ...], references: str, words: str) -> _Plan | None:
        texts = [text.split(SEPARATOR) for text in (references, words)]
        if any(len(parts) != len(aspects) for parts in texts):  # a separator stands in one, or words are not known
            return None
        row_of: list[int | None] = [None] * self.size
        for row, (aspect, reference, own) in enumerate(zip(aspects, *texts, strict=True)):
            for offset in self.offsets[aspect].get(reference, ()) if self.counts(own) else ():
                if row_of[offset] is not None:
                    return None
                row_of[offset] = row
        return _plan(tuple(row_of))


class QuestionPlaces:
    """Where the questions about some pictures stand in columns."""

    def __init__(self, pictures: Sequence[PictureFiles]) -> None:
        self.pictures = pictures
        self._starts = array("q", [0])
        self._by_image: dict[str, tuple[Place, ...]] = {}
        layouts = lru_cache(maxsize=None)(_Layout)
        for one in pictures:
            start, layout = self._starts[-1], layouts(one.subject, one.style, one.words)
            self._by_image[one.image] = (*self._by_image.get(one.image, ()), (start, layout))
            self._starts.append(start + layout.size)

    def __iter__(self) -> Iterator[tuple[slice, slice]]:
        """The questions about the subject, and about the style, of each picture."""
        for number, one in enumerate(self.pictures):
            start = self._starts[number]
            middle = start + len(one.subject)
            yield slice(start, middle), slice(middle, self._starts[number + 1])

    def read(self, database: sqlite3.Connection, judge: Judge | None = None) -> dict[JudgeKey, VerdictColumn]:
        """What one judge, or every judge, said to these questions; those who were asked none of them are left out."""
        columns: dict[JudgeKey, VerdictColumn] = {}
        where, values = self._where(database, judge)
        rows = database.execute(f"{_GROUPS} {where} GROUP BY image, judge, prompts", values)
        for image, number, prompts, digits, references, words in rows:
            for start, layout in self._by_image.get(image, ()):
                column = columns.get((number, prompts))
                if column is None:
                    column = columns[number, prompts] = self.empty()
                group = _aspects(digits), references, words
                plan = layout.plans.get(group) or layout.plan(group)
                if plan is None:
                    column.contested |= {start + one: layout.key(image, one) for one in range(layout.size)}
                else:
                    column.codes[start : start + layout.size] = plan[digits]
        for key, one in columns.items():
            one.settle(database, key)
        return {key: one for key, one in columns.items() if one.is_asked}

    def column(self, database: sqlite3.Connection, judge: Judge) -> VerdictColumn:
        """What a judge said to these questions, with the chances of yes."""
        column = self.empty(chances=True)
        where, values = self._where(database, judge)
        columns = f"image, aspect, reference, words, {_CODE}, probability"
        for image, aspect, reference, words, code, chance in database.execute(
            f"SELECT {columns} FROM verdicts {where}", values
        ):
            for start, layout in self._by_image.get(image, ()):
                for offset in layout.offsets[aspect].get(reference, ()) if layout.counts(words) else ():
                    if column.codes[start + offset] or words is None:
                        column.contested[start + offset] = layout.key(image, offset)
                    column.codes[start + offset] = code
                    column.chances[start + offset] = nan if chance is None else chance
        column.settle(database, (judge.id, judge.prompts))
        return column

    def empty(self, *, chances: bool = False) -> VerdictColumn:
        """The column of a judge who was asked none of these questions."""
        size = self._starts[-1]
        return VerdictColumn(bytearray(size), array("d", [nan]) * (size if chances else 0))

    def _where(self, database: sqlite3.Connection, judge: Judge | None) -> tuple[str, list[object]]:
        """Which rows may be on these pictures: those of a few are looked up, for many all are passed."""
        conditions, values = list[str](), list[object]()
        (rows,) = database.execute("SELECT coalesce(max(rowid), 0) FROM verdicts").fetchone()
        if LOOK_UP * len(self._by_image) < rows:
            conditions.append("image IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(list(self._by_image)))
        if judge is not None:
            conditions.append("judge = ? AND prompts = ?")
            values += [judge.id, judge.prompts]
        return f"WHERE {' AND '.join(conditions)}" if conditions else "", values


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
