"""Votes from elsewhere into the database: a file with a fault is refused whole, and one can come any number of times.

A file is checked against the studies it names before anything is written: trials have to be those of its rater, a
vote has to supersede what stands. A vote that is there already is left as it is; another under its id is refused.

All of it is worked out without a lock. Then raters are written whole, some at a time, each time after a look whether
one of them has voted meanwhile, and with a pause as long as the writing: people who vote at that moment wait for a
fraction of a second, where one transaction of a large file would hold them up for many. An import that is killed has
taken in some raters whole and the others not at all; the next one goes on.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lorarar.store import Store
from lorarar.util.grouping import group_by
from studies.errors import PacketError, StudyError
from studies.new_votes import NewVotes, new_votes
from studies.rater.packet_format import VoteLine
from studies.rater.vote_file import LARGEST, parse
from studies.store import RaterStore, Study, StudyStore, VoteStore
from studies.store.gate import check_day

AT_A_TIME = 500  # votes that are written in one transaction

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


def import_vote_file(store: Store, path: Path) -> ImportSummary:
    """Import a file of votes, which may hold several raters and studies.

    Raises:
        PacketError: it cannot be read, or a line is not what it should be; nothing was written. Where somebody voted
            or the study was closed while it was written, raters before may be in.
    """
    held = parse(_read(path), str(path))
    groups = group_by(held.lines, lambda line: line.study)
    if not groups:
        raise PacketError(f"{path} holds no votes{'; its one line was torn' if held.torn else ''}")
    studies = _studies(store, path, groups)
    imports = [_StudyImport(store, path, studies[digest], lines) for digest, lines in groups.items()]
    summary = ImportSummary(torn=int(bool(held.torn)), studies=tuple(sorted(study.name for study in studies.values())))
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
        self.store = store
        self.enrolled = self.raters.ids_of(self.lines)
        self.kept = self.stored.of_raters(self.lines)
        withdrawn = self.raters.withdrawn_of(self.lines)
        self.new = {code: self._work_out(code) for code in self.lines if code not in withdrawn}
        self._check_days()
        self._check_ids()

    def write(self, summary: ImportSummary) -> None:
        """Insert what is new, some raters at a time."""
        for codes in self._portions():
            with self.store.writing():
                started = time.monotonic()
                self._write_some(codes, summary)
            time.sleep(time.monotonic() - started)

    def _portions(self) -> Iterator[list[str]]:
        """The file's raters, so many at a time that a transaction stays short."""
        codes: list[str] = []
        votes = 0
        for code in self.lines:
            codes.append(code)
            votes += len(self.lines[code])
            if votes >= AT_A_TIME:
                yield codes
                codes, votes = [], 0
        if codes:
            yield codes

    def _write_some(self, codes: Sequence[str], summary: ImportSummary) -> None:
        """Insert what is new of some raters; inside ``writing()``."""
        kept, withdrawn = self.stored.ids_of_raters(codes), self.raters.withdrawn_of(codes)
        for code in codes:
            if code in withdrawn:
                summary.withdrawn += sum(line.consented is None for line in self.lines[code])
                continue
            if kept.get(code, set()) != {vote.id for vote in self.kept.get(code, ())}:  # somebody voted meanwhile
                self.kept[code] = self.stored.of(code)
                self.new[code] = self._work_out(code)
            self._write_or_refuse(code, summary)

    def _write_or_refuse(self, code: str, summary: ImportSummary) -> None:
        try:
            self._write_rater(code, self.new[code], summary)
        except StudyError as error:
            raise PacketError(f"{self.path}, rater {code}: {error}") from None
        except sqlite3.IntegrityError:
            raise PacketError(f"{self.path}, rater {code}: a vote has the id of another rater's") from None

    def _write_rater(self, code: str, new: NewVotes, summary: ImportSummary) -> None:
        rater = self.enrolled.get(code) or self.raters.enrol(code, new.consented or "")
        self.stored.insert_all(rater, new.votes)
        summary.raters += 1
        summary.votes += len(new.votes)
        summary.known += new.before

    def _work_out(self, code: str) -> NewVotes:
        try:
            new = new_votes(self.study, code, self.lines[code], self.kept.get(code, ()))
            if new.consented is None and code not in self.enrolled:
                raise StudyError("there are votes but no consent")
            return new
        except StudyError as error:
            raise PacketError(f"{self.path}, rater {code}: {error}") from None

    def _check_days(self) -> None:
        """Refuse what is new of a day after the study was closed."""
        days = {code: self._last_day(code) for code in self.new}
        last = max(days, key=days.__getitem__, default=None)
        if last is not None and days[last]:
            try:
                check_day(self.store, self.study, days[last])
            except StudyError as error:
                raise PacketError(f"{self.path}, rater {last}: {error}") from None

    def _last_day(self, code: str) -> str:
        """The last day of what is new of a rater; empty where nothing is."""
        new = self.new[code]
        consented = "" if code in self.enrolled else new.consented or ""
        return max([consented, *(vote.day for vote, _ in new.votes)])

    def _check_ids(self) -> None:
        """Refuse new votes under ids that others have."""
        ids = [vote.id for new in self.new.values() for vote, _ in new.votes]
        if len(set(ids)) < len(ids):
            raise PacketError(f"{self.path} has votes of two raters under one id")
        if taken := self.stored.first_of(ids):
            (code,) = (code for code, new in self.new.items() if any(vote.id == taken for vote, _ in new.votes))
            raise PacketError(f"{self.path}, rater {code}: the vote {taken} has the id of another rater's")


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
