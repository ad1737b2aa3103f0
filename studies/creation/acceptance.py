"""Which pictures MARS2 accepts: a ``best`` study shows these alone.

A picture is accepted when the critic finds its subject and its style right (``judge.protocol``), asked with all
references; one that was not fully judged is not accepted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from judge.brand import bases_in_words, brand, knows
from judge.picture_files import PictureFiles
from judge.pictures import read_answers
from judge.protocol import both_right
from judge.verdicts import Judge, VerdictStore
from lorarar.store import Store
from lorarar.store.command_line import command_line
from lorarar.util.suggestion import did_you_mean
from studies.creation.candidates import Candidates
from studies.errors import StudyError


def find_judge(store: Store, critic: str | None = None, bases: Iterable[str] = ()) -> Judge:
    """Find the judge whose verdicts count: the latest of this critic, or the latest who knows the pictures.

    Args:
        store: the database.
        critic: whose verdicts; one who does not know the pictures has to be named.
        bases: of the pictures.

    Raises:
        StudyError: the database has no such judge.
    """
    judges, bases = VerdictStore(store).judges(), set(bases)
    fitting = [judge for judge in judges if critic in (None, judge.critic)]
    judge = next((judge for judge in fitting if critic or all(knows(judge.critic, base) for base in bases)), None)
    if judge is None and fitting:
        raise StudyError(
            f"{fitting[0].critic} knows pictures of {fitting[0].critic} alone, and these are "
            f"{bases_in_words(sorted(bases))}; judge them anew with: "
            f"{command_line('lorarar judge run')}, or name it with --critic"
        )
    if judge is None:
        there = ", ".join(sorted({judge.critic for judge in judges})) or "none"
        by = f" of {critic}" if critic else ""
        near = did_you_mean(critic, {judge.critic for judge in judges}) if critic else ""
        raise StudyError(
            f"{store.path} has no MARS2 verdicts{by} (it has: {there}); make some with: "
            f"{command_line('lorarar judge run')}{near}"
        )
    return judge


def accepted(store: Store, judge: Judge, candidates: Candidates) -> Candidates:
    """The candidates that a judge accepts."""
    digests = {pair: one.digests for pair, one in candidates.references.items()}
    files = [
        PictureFiles(
            image=picture.sha256,
            subject=tuple(digests[picture.pair]["subject"]),
            style=tuple(digests[picture.pair]["style"]),
            words=candidates.references[picture.pair].words,
        )
        for picture in candidates.pictures
    ]
    with store.reading() as database:
        answers = read_answers(database, judge, files)
    return candidates.where(both_right(*answer) is True for answer in answers)


def judge_record(store: Store, judge: Judge, bases: Iterable[str] = ()) -> dict[str, Any]:
    """The judge as a study's row records it: its brand, how many verdicts it had and when the last was given.

    Args:
        store: the database.
        judge: whose verdicts the study goes by.
        bases: of the study's pictures, one a picture.
    """
    words, by = brand(judge.critic, bases), (judge.id, judge.prompts)
    of_judge = "FROM verdicts WHERE judge = ? AND prompts = ?"  # both are answered by an index
    ((verdicts, latest),) = (row.values() for row in store.rows(f"SELECT count(*), max(created) {of_judge}", *by))
    ((unclear,),) = (row.values() for row in store.rows(f"SELECT count(*) {of_judge} AND status <> 'ok'", *by))
    return {
        "id": judge.id,
        "brand": words,
        "critic": judge.critic,
        "prompts": judge.prompts,
        "identity": dict(judge.identity),
        "clear": verdicts - unclear,
        "unclear": unclear,
        "latest": latest,
    }
