"""From verdicts to pictures, the only way there is.

A judge knows a picture as a ``Target`` with its references; studies and the app know both by their digests. The rule
is the same (``judge.protocol``): a reference without a clear verdict has no answer, and is never counted as a no.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from judge.protocol import Answer, correct, majority, score
from judge.questions import Aspect
from judge.verdicts import NOT_ASKED, Judge, QuestionKey, Verdict
from lorarar.store.queries import Collection, Pair
from lorarar.util.files import sha256_of
from lorarar.util.grouping import group_by

if TYPE_CHECKING:
    from judge.targets import Target
    from judge.verdicts import VerdictStore


@dataclass(frozen=True)
class JudgedPicture:
    """A target with the verdicts of all its references, in their order."""

    target: Target
    subject: tuple[Verdict, ...]
    style: tuple[Verdict, ...]

    @property
    def pair(self) -> Pair:
        """The picture's subject and style."""
        return self.target.subject, self.target.style

    @property
    def correct(self) -> Answer:
        """Whether the picture shows the subject and the style."""
        return correct(self.answers("subject"), self.answers("style"))

    @property
    def unclear(self) -> Counter[str]:
        """How many of the picture's questions failed, were unparsed or not asked, by that word."""
        return Counter(verdict.status for verdict in (*self.subject, *self.style) if verdict.status != "ok")

    def answer(self, aspect: Aspect) -> Answer:
        """Whether one aspect is right, by the majority of its references."""
        return majority(self.answers(aspect))

    def answers(self, aspect: Aspect) -> list[Answer]:
        """The answer of each reference of an aspect."""
        return [verdict.answer for verdict in self.verdicts(aspect)]

    def probability(self, aspect: Aspect) -> float | None:
        """The mean probability of Yes over the references; None where one is missing."""
        import numpy as np  # the app, which needs no probabilities, starts without it

        chances = [v.probability for v in self.verdicts(aspect) if v.answer is not None and v.probability is not None]
        return float(np.mean(chances)) if chances and len(chances) == len(self.verdicts(aspect)) else None

    def verdicts(self, aspect: Aspect) -> tuple[Verdict, ...]:
        """The verdicts of one aspect's references."""
        return self.subject if aspect == "subject" else self.style


class JudgedTargets:
    """Targets, and the verdicts that the judges of a database gave on them."""

    def __init__(self, targets: Sequence[Target], verdicts: VerdictStore) -> None:
        self.targets, self.verdicts = targets, verdicts
        self._keys = [(_keys(target, "subject"), _keys(target, "style")) for target in targets]

    def pictures(self, judge: Judge) -> list[JudgedPicture]:
        """The targets with one judge's verdicts."""
        verdicts = self.verdicts.of(judge)

        def stored(keys: Sequence[QuestionKey]) -> tuple[Verdict, ...]:
            return tuple(verdicts.get(key, NOT_ASKED) for key in keys)

        return [
            JudgedPicture(target, stored(subject), stored(style))
            for target, (subject, style) in zip(self.targets, self._keys, strict=True)
        ]

    def clear(self, judge: Judge) -> int:
        """How many different questions about these pictures a judge has answered clearly."""
        verdicts = self.verdicts.of(judge)
        keys = {key for aspects in self._keys for keys in aspects for key in keys}
        return sum(verdicts.get(key, NOT_ASKED).status == "ok" for key in keys)


def group_by_picture(targets: Sequence[Target], verdicts: Iterable[Verdict]) -> list[JudgedPicture]:
    """The targets with the verdicts on ``judge.run.questions_about`` them, which come in that order."""
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
    """The average case over the pictures' pairs; None where no picture has a verdict."""
    return score(correct_by_pair(pictures)).average


def mars2_by_method(pictures: Iterable[JudgedPicture]) -> dict[str, float]:
    """MARS2 of each method that has any picture with a verdict."""
    methods = group_by(pictures, lambda picture: picture.target.row)
    averages = {method: mars2(members) for method, members in methods.items()}
    return {method: average for method, average in averages.items() if average is not None}


def answers_on(
    verdicts: Mapping[QuestionKey, Verdict], image: str, references: Mapping[str, Sequence[str]], aspect: Aspect
) -> list[Answer]:
    """The answer of each reference of an aspect about an image; all are named by their digests."""
    return [verdicts.get((image, reference, aspect), NOT_ASKED).answer for reference in references.get(aspect, ())]


def correct_on(verdicts: Mapping[QuestionKey, Verdict], image: str, references: Mapping[str, Sequence[str]]) -> Answer:
    """Whether an image shows the subject and the style; it and its references are named by their digests."""
    return correct(answers_on(verdicts, image, references, "subject"), answers_on(verdicts, image, references, "style"))


_COUNTS = """
    SELECT v.image, v.aspect, sum(v.verdict * r.weight), sum((v.verdict IS NOT NULL) * r.weight)
    FROM verdicts v JOIN temp.wanted r ON r.aspect = v.aspect AND r.reference = v.reference
    WHERE v.judge = ? AND v.prompts = ? GROUP BY v.image, v.aspect"""


def count_answers(
    database: sqlite3.Connection, judge: Judge, references: Mapping[Aspect, Iterable[Sequence[str]]]
) -> dict[tuple[str, Aspect], tuple[int, int]]:
    """Count ``answers_on`` all images at once, for ``majority_of_counts``; one SQL query, as the app has many pictures.

    Args:
        database: a connection of its own; a temporary table stays in it.
        judge: whose answers they are.
        references: for each aspect the digests of every concept's references.

    Returns:
        (yes, answered) by image and aspect; nothing where neither was answered.
    """
    weights = [
        (aspect, digest, digests.count(digest))
        for aspect, concepts in references.items()
        for digests in concepts
        for digest in dict.fromkeys(digests)
    ]
    database.execute("CREATE TEMP TABLE wanted (aspect, reference, weight, PRIMARY KEY (aspect, reference))")
    database.executemany("INSERT INTO temp.wanted VALUES (?, ?, ?) ON CONFLICT DO NOTHING", weights)
    rows = database.execute(_COUNTS, [judge.id, judge.prompts])
    return {(image, aspect): (yes or 0, answered) for image, aspect, yes, answered in rows}


def judged_collections(database: sqlite3.Connection) -> set[Collection]:
    """The collections of which any picture has a clear verdict by any judge."""
    rows = database.execute("""
        SELECT g.kind, g.name FROM collections g WHERE EXISTS (
            SELECT 1 FROM cells c JOIN images i ON i.id = c.image JOIN verdicts v ON v.image = i.sha256
            WHERE c.collection = g.id AND v.status = 'ok')""")
    return {Collection(kind, name) for kind, name in rows}


def _keys(target: Target, aspect: Aspect) -> list[QuestionKey]:
    references = target.references(aspect)
    try:
        return [(sha256_of(target.image), sha256_of(reference), aspect) for reference in references]
    except OSError:  # gone since: there are no verdicts on it
        return [("", str(reference), aspect) for reference in references]
