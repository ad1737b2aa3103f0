"""From verdicts to pictures, the only way there is.

A judge knows a picture as a ``Target`` with its references; studies and the app know both by their digests. The rules
are the same: only verdicts count that were asked in the picture's own style words (``judge.verdicts``), and a reference
without a clear verdict has no answer, and is never counted as a no (``judge.protocol``).
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from judge.brand import brand, knows
from judge.picture_files import PictureFiles
from judge.protocol import Answer, both_right, confidence, correct, majority, score
from judge.questions import ASPECTS, Aspect
from judge.verdict_columns import JudgeKey, QuestionPlaces, VerdictColumn
from judge.verdicts import Judge, JudgeVerdicts, QuestionKey, Verdict
from lorarar.store.filters import one_collection
from lorarar.store.queries import Collection, Pair
from lorarar.util.files import sha256_or
from lorarar.util.grouping import group_by

if TYPE_CHECKING:
    from pathlib import Path

    from judge.targets import Target
    from judge.verdicts import VerdictStore


@dataclass(frozen=True)
class JudgedPicture:
    """A target with the verdicts of all its references, in their order."""

    target: Target
    subject: tuple[Verdict, ...]
    style: tuple[Verdict, ...]

    def __repr__(self) -> str:
        """The picture, and how many references of either aspect say yes."""
        counts = (f"{aspect} {self.answers(aspect).count(True)} of {len(self.verdicts(aspect))}" for aspect in ASPECTS)
        return f"JudgedPicture({self.target!r}: yes of {', '.join(counts)})"

    @property
    def pair(self) -> Pair:
        """The picture's subject and style."""
        return self.target.subject, self.target.style

    @property
    def correct(self) -> Answer:
        """Whether the picture shows the subject and the style."""
        return both_right(self.answer("subject"), self.answer("style"))

    @property
    def unclear(self) -> Counter[str]:
        """How many of the picture's questions failed, were unparsed or not asked, by that word."""
        return count_unclear([self])

    def answer(self, aspect: Aspect) -> Answer:
        """Whether one aspect is right, by the majority of its references."""
        return _majority_of(self.verdicts(aspect))

    def answers(self, aspect: Aspect) -> list[Answer]:
        """The answer of each reference of an aspect."""
        return [verdict.answer for verdict in self.verdicts(aspect)]

    def probability(self, aspect: Aspect) -> float | None:
        """The mean probability of Yes over the references; None where one is missing."""
        import numpy as np  # the app, which needs no probabilities, starts without it

        chances = [v.probability for v in self.verdicts(aspect) if v.answer is not None and v.probability is not None]
        return float(np.mean(chances)) if chances and len(chances) == len(self.verdicts(aspect)) else None

    def confidence(self, aspect: Aspect) -> float | None:
        """How sure the judge is that an aspect is right (``judge.protocol``); None where a probability is missing."""
        chances = [v.probability for v in self.verdicts(aspect) if v.answer is not None and v.probability is not None]
        return confidence(chances) if len(chances) == len(self.verdicts(aspect)) else None

    def verdicts(self, aspect: Aspect) -> tuple[Verdict, ...]:
        """The verdicts of one aspect's references."""
        return self.subject if aspect == "subject" else self.style


class JudgedTargets:
    """Targets, and the verdicts that the judges of a database gave on them."""

    def __init__(self, targets: Sequence[Target], verdicts: VerdictStore) -> None:
        from lorarar.store.kept_digests import (
            recall_digests,
        )  # the app, which has a connection alone, starts without it

        self.targets, self.verdicts = targets, verdicts
        both = (group for target in targets for group in (target.subject_references, target.style_references))
        references = {id(group): group for group in both}.values()
        unknown = [target.image for target in targets if not target.sha256]
        recall_digests(verdicts.store, [*unknown, *(path for group in references for path in group)])
        self.files = picture_files(targets)

    def pictures(self, judge: Judge | None, *, chances: bool = True) -> list[JudgedPicture]:
        """The targets with one judge's verdicts, or without any; without ``chances`` they are read once for all."""
        column = self._column(judge, chances)
        return [
            JudgedPicture(target, column.verdicts(subject), column.verdicts(style))
            for target, (subject, style) in zip(self.targets, self._places, strict=True)
        ]

    @property
    def clear(self) -> Mapping[JudgeKey, int]:
        """How many questions about these pictures each judge has answered clearly; who answered none is left out."""
        return {judge: column.clear for judge, column in self._columns.items() if column.clear}

    def _column(self, judge: Judge | None, chances: bool) -> VerdictColumn:
        if judge is None:
            return self._places.empty()
        if not chances:
            return self._columns.get((judge.id, judge.prompts)) or self._places.empty()
        with self.verdicts.store.reading() as database:
            return self._places.column(database, judge)

    @cached_property
    def _places(self) -> QuestionPlaces:
        return QuestionPlaces(self.files)

    @cached_property
    def _columns(self) -> Mapping[JudgeKey, VerdictColumn]:
        """What every judge says of these pictures."""
        with self.verdicts.store.reading() as database:
            return self._places.read(database)


def count_unclear(pictures: Iterable[JudgedPicture]) -> Counter[str]:
    """How many questions about pictures failed, were unparsed or not asked, by that word."""
    unclear = Counter[str]()
    for one in pictures:
        for aspect in (one.subject, one.style):
            if without := _unclear_of(aspect):
                unclear.update(without)
    return unclear


@lru_cache(maxsize=4096)  # a million pictures have few answers that differ
def _majority_of(verdicts: tuple[Verdict, ...]) -> Answer:
    return majority([verdict.answer for verdict in verdicts])


@lru_cache(maxsize=4096)
def _unclear_of(verdicts: tuple[Verdict, ...]) -> list[str]:
    """What the verdicts that are not clear are in place of that."""
    return [verdict.status for verdict in verdicts if verdict.status != "ok"]


def group_by_picture(targets: Sequence[Target], verdicts: Iterable[Verdict]) -> list[JudgedPicture]:
    """The targets with the verdicts on ``judge.target_questions.questions_about`` them, which come in that order."""
    rest = iter(verdicts)

    def next_of(count: int) -> Iterator[Verdict]:
        return (next(rest) for _ in range(count))

    return [
        JudgedPicture(t, tuple(next_of(len(t.subject_references))), tuple(next_of(len(t.style_references))))
        for t in targets
    ]


def correct_by_pair(pictures: Iterable[JudgedPicture]) -> dict[Pair, list[Answer]]:
    """Whether each picture is correct, by subject-style pair."""
    pairs = group_by(pictures, lambda picture: picture.pair)
    return {pair: [picture.correct for picture in members] for pair, members in pairs.items()}


def mars2(pictures: Iterable[JudgedPicture]) -> float | None:
    """The average case over the pictures' pairs; None where no picture has a verdict.

    Raises:
        FilterError: the pictures are of several collections, which no figure mixes.
    """
    pictures = list(pictures)
    if pictures:
        one_collection(picture.target.collection for picture in pictures)
    return score(correct_by_pair(pictures)).average


def mars2_by_method(pictures: Iterable[JudgedPicture]) -> dict[str, float]:
    """MARS2 of each method that has any picture with a verdict; raises as ``mars2`` does."""
    pictures = list(pictures)
    if pictures:
        one_collection(picture.target.collection for picture in pictures)
    methods = group_by(pictures, lambda picture: picture.target.row)
    averages = {method: mars2(members) for method, members in methods.items()}
    return {method: average for method, average in averages.items() if average is not None}


def answers_on(
    verdicts: JudgeVerdicts,
    image: str,
    references: Mapping[str, Sequence[str]],
    aspect: Aspect,
    words: str | None = None,
) -> list[Answer]:
    """The answer of each reference of an aspect about an image.

    Args:
        verdicts: of one judge.
        image: the picture's digest.
        references: digests of the references by aspect.
        aspect: which one.
        words: of the picture's style; None where they are not known, and verdicts in any words count.
    """
    keys = (QuestionKey(image, reference, aspect, words) for reference in references.get(aspect, ()))
    return [verdicts.find(key).answer for key in keys]


def correct_on(
    verdicts: JudgeVerdicts, image: str, references: Mapping[str, Sequence[str]], words: str | None = None
) -> Answer:
    """Whether an image shows the subject and the style; the arguments are those of ``answers_on``."""
    subject, style = (answers_on(verdicts, image, references, aspect, words) for aspect in ASPECTS)
    return correct(subject, style)


def read_answers(
    database: sqlite3.Connection, judge: Judge, pictures: Sequence[PictureFiles]
) -> list[tuple[Answer, Answer]]:
    """Whether the subject and the style of each picture are right, as ``JudgedPicture.answer`` has it."""
    places = QuestionPlaces(pictures)
    column = places.read(database, judge).get((judge.id, judge.prompts)) or places.empty()
    return [(column.answer(subject), column.answer(style)) for subject, style in places]


def judged_collections(database: sqlite3.Connection) -> set[Collection]:
    """The collections of which any picture has a clear verdict by any judge."""
    rows = database.execute("""
        SELECT g.kind, g.name FROM collections g WHERE EXISTS (
            SELECT 1 FROM cells c JOIN images i ON i.id = c.image JOIN verdicts v ON v.image = i.sha256
            WHERE c.collection = g.id AND v.status = 'ok')""")
    return {Collection(kind, name) for kind, name in rows}


def count_clear(database: sqlite3.Connection, pictures: Sequence[PictureFiles]) -> dict[JudgeKey, int]:
    """How many questions about pictures each judge has answered clearly; those that answered none are left out."""
    columns = QuestionPlaces(pictures).read(database)
    return {judge: column.clear for judge, column in columns.items() if column.clear}


def judge_of_most(judges: Iterable[Judge], clear: Mapping[JudgeKey, int], bases: Iterable[str] = ()) -> Judge | None:
    """The judge who answered most, and of those the first; None where none answered anything.

    Args:
        judges: to choose from.
        clear: how much each answered.
        bases: of the pictures; a judge who knows them comes before one who does not (``judge.brand``).
    """
    bases = set(bases)

    def rank(judge: Judge) -> tuple[bool, int]:
        return all(knows(judge.critic, base) for base in bases), clear[judge.id, judge.prompts]

    return max((judge for judge in judges if clear.get((judge.id, judge.prompts))), key=rank, default=None)


def brand_of(judge: Judge, pictures: Iterable[JudgedPicture]) -> str:
    """The brand of a judge's verdicts on those pictures of which it gave any clear one; empty where it needs none."""
    pictures = list(pictures)
    if all(knows(judge.critic, base) for base in {one.target.base for one in pictures}):
        return ""
    judged = (one.target.base for one in pictures if any(v.answer is not None for v in (*one.subject, *one.style)))
    return brand(judge.critic, judged)


def picture_files(targets: Iterable[Target]) -> list[PictureFiles]:
    """Targets by the digests of their files; empty for references that are gone, on which there are no verdicts."""
    cache: dict[int, tuple[str, ...]] = {}  # by the very tuple: targets of a pair share theirs, which has no hash kept

    def digests(paths: tuple[Path, ...]) -> tuple[str, ...]:
        if id(paths) not in cache:
            cache[id(paths)] = tuple(sha256_or(path, "") for path in paths)
        return cache[id(paths)]

    targets = list(targets)  # so that no tuple goes while another may take its place
    return [
        PictureFiles(
            target.digest, digests(target.subject_references), digests(target.style_references), target.style_words
        )
        for target in targets
    ]
