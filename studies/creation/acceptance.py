"""Which pictures MARS2 accepts: a ``best`` study shows these alone.

A picture is accepted when the critic finds its subject and its style right (``judge.protocol``), asked with all
references; one that was not fully judged is not accepted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from judge.brand import bases_in_words, brand, knows
from judge.pictures import correct_on
from judge.verdicts import Judge, VerdictStore
from lorarar.store import Store
from lorarar.store.command_line import command_line
from lorarar.util.suggestion import did_you_mean
from studies.creation.candidates import Candidate, Candidates, PairReferences
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
    verdicts = VerdictStore(store).of(judge)

    def accepts(picture: Candidate, references: PairReferences) -> bool:
        return bool(correct_on(verdicts, picture.sha256, references.digests, references.words))

    return candidates.where(accepts)


def judge_record(store: Store, judge: Judge, bases: Iterable[str] = ()) -> dict[str, Any]:
    """The judge as a study's row records it: its brand, how many verdicts it had and when the last was given.

    Args:
        store: the database.
        judge: whose verdicts the study goes by.
        bases: of the study's pictures, one a picture.
    """
    words = brand(judge.critic, bases)
    (counts,) = store.rows(
        """SELECT sum(status = 'ok') AS clear, sum(status <> 'ok') AS unclear, max(created) AS latest
        FROM verdicts WHERE judge = ? AND prompts = ?""",
        judge.id,
        judge.prompts,
    )
    return {
        "id": judge.id,
        "brand": words,
        "critic": judge.critic,
        "prompts": judge.prompts,
        "identity": dict(judge.identity),
        **counts,
    }
