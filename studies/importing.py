"""Votes from elsewhere into the database: all of a file or nothing, and any number of times.

A file is checked against the studies it names before anything is written: trials have to be those of its rater, a
vote has to supersede what stands. A vote that is there already is left as it is; another under its id is refused.

All of it is worked out without a lock. Then one transaction looks whether a rater of the file has voted meanwhile,
works those out anew, and inserts: raters who vote at that moment wait for the insertion alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

from lorarar.store import Store
from lorarar.util.grouping import group_by
from studies.errors import PacketError, StudyError
from studies.rater.design import ANSWERS
from studies.rater.packet_format import VoteLine
from studies.rater.trials import Trial, trials_of
from studies.rater.vote_file import LARGEST, parse
from studies.rater.votes import MOST_VOTES, Vote, VoteHistory
from studies.store import RaterStore, Study, StudyStore, VoteStore

MOST_DAYS_AHEAD = 366  # of a vote's day; clocks may be wrong, but a day of another age says nothing

Lines = Mapping[str, Sequence[VoteLine]]  # of a study, by rater


@dataclass
class ImportSummary:
    """Counts of what an import did."""

    votes: int = 0  # new ones
    known: int = 0  # there already
    withdrawn: int = 0  # of raters who were deleted, left out
    torn: int = 0  # last lines whose rest never came, left out
    raters: int = 0
    studies: tuple[str, ...] = ()


@dataclass(frozen=True)
class NewVotes:
    """What one rater's lines add to what is kept of them."""

    consented: str | None  # the day; None where no line says it
    votes: Sequence[tuple[Vote, Trial]]
    before: int  # how many of its votes are there already


def import_vote_file(store: Store, path: Path) -> ImportSummary:
    """Import a file of votes, which may hold several raters and studies.

    Raises:
        PacketError: it cannot be read, or a line is not what it should be; nothing was written.
    """
    held = parse(_read(path), str(path))
    groups = group_by(held.lines, lambda line: line.study)
    if not groups:
        raise PacketError(f"{path} holds no votes{'; its one line was torn' if held.torn else ''}")
    studies = _studies(store, path, groups)
    imports = [_StudyImport(store, path, studies[digest], lines) for digest, lines in groups.items()]
    summary = ImportSummary(torn=int(bool(held.torn)), studies=tuple(sorted(study.name for study in studies.values())))
    with store.writing():
        for one in imports:
            one.write(summary)
    return summary


class _StudyImport:
    """The lines on one study, worked out when it is made, and written by ``write``.

    Raises:
        PacketError: a line is not what it should be.
    """

    def __init__(self, store: Store, path: Path, study: Study, lines: Sequence[VoteLine]) -> None:
        self.path, self.study = path, study
        self.lines: Lines = group_by(lines, lambda line: line.rater)
        self.raters, self.stored = RaterStore(store, study), VoteStore(store, study)
        self.withdrawn = self.raters.withdrawn_of(self.lines)
        self.kept = self.stored.of_raters(self.lines)
        self.new = {code: self._work_out(code) for code in self.lines if code not in self.withdrawn}
        _check_ids(path, chain.from_iterable(new.votes for new in self.new.values()))

    def write(self, summary: ImportSummary) -> None:
        """Insert what is new; inside ``writing()``."""
        kept = self.stored.ids_of_raters(self.lines)
        withdrawn = self.raters.withdrawn_of(self.lines)
        for code in self.new.keys() - withdrawn:
            if kept.get(code, set()) != {vote.id for vote in self.kept.get(code, ())}:  # somebody voted meanwhile
                self.kept[code] = self.stored.of(code)
                self.new[code] = self._work_out(code)
        for code in self.lines:
            if code in withdrawn:
                summary.withdrawn += sum(line.consented is None for line in self.lines[code])
            else:
                self._write_or_refuse(code, summary)

    def _write_or_refuse(self, code: str, summary: ImportSummary) -> None:
        try:
            self._write_rater(code, self.new[code], summary)
        except StudyError as error:
            raise PacketError(f"{self.path}, rater {code}: {error}") from None
        except sqlite3.IntegrityError:
            raise PacketError(f"{self.path}, rater {code}: a vote has the id of another rater's") from None

    def _write_rater(self, code: str, new: NewVotes, summary: ImportSummary) -> None:
        rater = self.raters.id_of(code)
        if rater is None:
            if new.consented is None:
                raise StudyError("there are votes but no consent")
            rater = self.raters.enrol(code, new.consented)
        self.stored.insert_all(rater, new.votes)
        summary.raters += 1
        summary.votes += len(new.votes)
        summary.known += new.before

    def _work_out(self, code: str) -> NewVotes:
        try:
            return _new_votes(self.study, code, self.lines[code], self.kept.get(code, ()))
        except StudyError as error:
            raise PacketError(f"{self.path}, rater {code}: {error}") from None


def _new_votes(study: Study, code: str, lines: Sequence[VoteLine], kept: Sequence[Vote]) -> NewVotes:
    """What a rater's lines add to the votes that are kept of them.

    Raises:
        StudyError: a vote is not one that could have been given.
    """
    _check_days(lines)
    trials, history, by_id = trials_of(study.design, code), VoteHistory(kept), {vote.id: vote for vote in kept}
    new: list[tuple[Vote, Trial]] = []
    before = 0
    for vote in (vote for line in lines if (vote := line.vote()) is not None):
        if vote.id in by_id:
            if by_id[vote.id] != vote:
                raise StudyError(f"the vote {vote.id} is another one here")
            before += 1
            continue
        if vote.trial >= len(trials) or vote.answer not in ANSWERS[study.kind]:
            raise StudyError(f"the study has no trial {vote.trial} that can be answered by {vote.answer}")
        _add(history, vote)
        by_id[vote.id] = vote
        new.append((vote, trials[vote.trial]))
    consents = [line.consented for line in lines if line.consented]
    return NewVotes(consents[0] if consents else None, new, before)


def _check_days(lines: Sequence[VoteLine]) -> None:
    """Refuse days that are far ahead."""
    latest = (datetime.now(UTC).date() + timedelta(days=MOST_DAYS_AHEAD)).isoformat()
    last = max(line.consented or line.day or "" for line in lines)
    if last > latest:
        raise StudyError(f"a line is of {last}, which is yet to come; accepted are days up to {latest}")


def _add(history: VoteHistory, vote: Vote) -> None:
    """Add a vote to its rater's, or say what it does not fit."""
    try:
        history.add(vote)
    except StudyError:
        raise StudyError(
            f"trial {vote.trial} has another vote already than the one that {vote.id} changes, or {MOST_VOTES} of them"
        ) from None


def _check_ids(path: Path, votes: Iterable[tuple[Vote, Trial]]) -> None:
    """Refuse a file in which two raters' votes have one id."""
    ids = [vote.id for vote, _ in votes]
    if len(set(ids)) < len(ids):
        raise PacketError(f"{path} has votes of two raters under one id")


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


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise PacketError(f"{path} has {path.stat().st_size} bytes; at most {LARGEST} are read")
        return path.read_bytes()
    except OSError as error:
        raise PacketError(f"cannot read {path}: {error.strerror}") from None
