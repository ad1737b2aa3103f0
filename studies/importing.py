"""Votes from elsewhere into the database: all of a file or nothing, and any number of times.

A file is checked against the study it names before anything is written: trials have to be those of its rater, a
vote has to supersede what stands. A vote that is there already is left as it is; another under its id is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lorarar.store import Store
from studies.errors import PacketError, StudyError
from studies.rater.design import ANSWERS
from studies.rater.packet_format import VoteLine
from studies.rater.trials import trials_of
from studies.rater.vote_file import LARGEST, parse
from studies.rater.votes import Vote, check_supersedes
from studies.store import Study, StudyStore


@dataclass
class Imported:
    """What came of an import."""

    votes: int = 0  # new ones
    known: int = 0  # there already
    withdrawn: int = 0  # of raters who were deleted, left out
    raters: int = 0
    studies: tuple[str, ...] = ()


def import_votes(store: Store, path: Path) -> Imported:
    """Take in a file of votes.

    Raises:
        PacketError: it cannot be read, or a line is not what it should be; nothing was written.
    """
    lines = parse(_read(path), str(path))
    groups: dict[tuple[str, str], list[VoteLine]] = {}
    for line in lines:
        groups.setdefault((line.study, line.rater), []).append(line)
    if not groups:
        raise PacketError(f"{path} holds no votes")
    studies = StudyStore(store)
    known = {digest: studies.of_digest(digest) for digest, _ in groups}
    if missing := [digest for digest, study in known.items() if study is None]:
        there = ", ".join(studies.names()) or "none"
        raise PacketError(
            f"{path} holds votes of a study {missing[0][:12]} that is not here; {store.path} has: {there}"
        )
    done = Imported(studies=tuple(sorted({study.name for study in known.values() if study})))
    with store.writing():
        for (digest, code), members in groups.items():
            study = known[digest]
            assert study is not None
            try:
                _take_in(studies, study, code, members, done)
            except StudyError as error:
                raise PacketError(f"{path}, rater {code}: {error}") from None
    return done


def _take_in(studies: StudyStore, study: Study, code: str, lines: Sequence[VoteLine], done: Imported) -> None:
    votes = [vote for line in lines if (vote := line.vote()) is not None]
    if studies.withdrawn(study, code):
        done.withdrawn += len(votes)
        return
    consents = [line.consented for line in lines if line.consented]
    rater = studies.rater(study, code)
    if rater is None:
        if not consents:
            raise StudyError("there are votes but no consent")
        rater = studies.enrol(study, code, consents[0])
    trials, standing = trials_of(study.design, code), studies.votes(study, code)
    ids = {vote.id: vote for vote in standing}
    done.raters += 1
    for vote in votes:
        if vote.id in ids:
            if ids[vote.id] != vote:
                raise StudyError(f"the vote {vote.id} is another one here")
            done.known += 1
            continue
        if vote.trial >= len(trials) or vote.answer not in ANSWERS[study.kind]:
            raise StudyError(f"the study has no trial {vote.trial} that can be answered by {vote.answer}")
        _check_new(studies, standing, vote)
        studies.insert(study, rater, vote, trials[vote.trial])
        standing.append(vote)
        ids[vote.id] = vote
        done.votes += 1


def _check_new(studies: StudyStore, standing: Sequence[Vote], vote: Vote) -> None:
    if studies.store.rows("SELECT 1 FROM study_votes WHERE id = ?", vote.id):
        raise StudyError(f"the vote {vote.id} is another rater's")
    try:
        check_supersedes(standing, vote)
    except StudyError:
        raise StudyError(f"trial {vote.trial} has another vote already than the one that {vote.id} changes") from None


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise PacketError(f"{path} has {path.stat().st_size} bytes; at most {LARGEST} are read")
        return path.read_bytes()
    except OSError as error:
        raise PacketError(f"cannot read {path}: {error.strerror}") from None
