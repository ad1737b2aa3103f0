"""Votes from elsewhere into the database: all of a file or nothing, and any number of times.

A file is checked against the study it names before anything is written: trials have to be those of its rater, a
vote has to supersede what stands. A vote that is there already is left as it is; another under its id is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lorarar.store import Store
from lorarar.util.grouping import group_by
from studies.errors import PacketError, StudyError
from studies.rater.design import ANSWERS
from studies.rater.packet_format import VoteLine
from studies.rater.trials import trials_of
from studies.rater.vote_file import LARGEST, parse
from studies.rater.votes import Vote, check_supersedes
from studies.store import RaterStore, Study, StudyStore, VoteStore


@dataclass
class ImportSummary:
    """Counts of what an import did."""

    votes: int = 0  # new ones
    known: int = 0  # there already
    withdrawn: int = 0  # of raters who were deleted, left out
    raters: int = 0
    studies: tuple[str, ...] = ()


def import_vote_file(store: Store, path: Path) -> ImportSummary:
    """Import a file of votes, which may hold several raters and studies.

    Raises:
        PacketError: it cannot be read, or a line is not what it should be; nothing was written.
    """
    groups = group_by(parse(_read(path), str(path)), lambda line: (line.study, line.rater))
    if not groups:
        raise PacketError(f"{path} holds no votes")
    studies = _studies(store, path, dict.fromkeys(digest for digest, _ in groups))
    summary = ImportSummary(studies=tuple(sorted(study.name for study in studies.values())))
    with store.writing():
        for (digest, code), lines in groups.items():
            try:
                _import_rater(store, studies[digest], code, lines, summary)
            except StudyError as error:
                raise PacketError(f"{path}, rater {code}: {error}") from None
    return summary


def _studies(store: Store, path: Path, digests: Iterable[str]) -> dict[str, Study]:
    """The studies of these digests, which all have to be there."""
    stored = StudyStore(store)
    studies = {}
    for digest in digests:
        study = stored.of_digest(digest)
        if study is None:
            there = ", ".join(stored.names()) or "none"
            raise PacketError(
                f"{path} holds votes of a study {digest[:12]} that is not here; {store.path} has: {there}"
            )
        studies[digest] = study
    return studies


def _import_rater(store: Store, study: Study, code: str, lines: Sequence[VoteLine], summary: ImportSummary) -> None:
    """Import one rater's lines; inside ``writing()``."""
    votes = [vote for line in lines if (vote := line.vote()) is not None]
    raters = RaterStore(store, study)
    if raters.is_withdrawn(code):
        summary.withdrawn += len(votes)
        return
    rater = raters.id_of(code)
    if rater is None:
        consents = [line.consented for line in lines if line.consented]
        if not consents:
            raise StudyError("there are votes but no consent")
        rater = raters.enrol(code, consents[0])
    summary.raters += 1
    new = _import_votes(VoteStore(store, study), rater, code, votes)
    summary.votes += new
    summary.known += len(votes) - new


def _import_votes(stored: VoteStore, rater: int, code: str, votes: Sequence[Vote]) -> int:
    """Append the votes that are not there yet; returns how many those are."""
    trials, earlier = trials_of(stored.study.design, code), stored.of(code)
    by_id = {vote.id: vote for vote in earlier}
    new = 0
    for vote in votes:
        if vote.id in by_id:
            if by_id[vote.id] != vote:
                raise StudyError(f"the vote {vote.id} is another one here")
            continue
        if vote.trial >= len(trials) or vote.answer not in ANSWERS[stored.study.kind]:
            raise StudyError(f"the study has no trial {vote.trial} that can be answered by {vote.answer}")
        _check_new(stored, earlier, vote)
        stored.insert(rater, vote, trials[vote.trial])
        earlier.append(vote)
        by_id[vote.id] = vote
        new += 1
    return new


def _check_new(stored: VoteStore, earlier: Sequence[Vote], vote: Vote) -> None:
    """Refuse a vote under another rater's id, or one that does not supersede what stands."""
    if stored.has(vote.id):
        raise StudyError(f"the vote {vote.id} is another rater's")
    try:
        check_supersedes(earlier, vote)
    except StudyError:
        raise StudyError(f"trial {vote.trial} has another vote already than the one that {vote.id} changes") from None


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise PacketError(f"{path} has {path.stat().st_size} bytes; at most {LARGEST} are read")
        return path.read_bytes()
    except OSError as error:
        raise PacketError(f"cannot read {path}: {error.strerror}") from None
