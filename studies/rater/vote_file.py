"""One rater's votes in a file of JSON lines beside a packet.

A line is appended, flushed and synced before a vote is acknowledged, under a lock, so that two windows lose
nothing. A line torn by a kill was never acknowledged; the next start cuts it off.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from studies.errors import PacketError
from studies.rater.design import Design
from studies.rater.packet_format import VoteLine, read_line
from studies.rater.trials import Trial
from studies.rater.votes import Vote, check_supersedes

LARGEST = 64 * 2**20  # bytes of a file of votes
LONGEST = 4096  # of a line
BEGINNING = b'{"study":"'  # of every line


class VoteFile:
    """The votes of one rater on one design: a ``VoteLog`` in a file.

    Raises:
        PacketError: the file exists and holds something else.
    """

    def __init__(self, path: Path, design: Design, code: str) -> None:
        self.path, self.design, self.code = path, design, code
        if path.exists():
            self._lines()

    def consented(self) -> bool:
        """Whether the rater has agreed to take part."""
        return any(line.consented is not None for line in self._lines())

    def consent(self, day: str) -> None:
        """Record that the rater agreed on this day."""
        with self._locked() as (file, _):
            _append(file, VoteLine(study=self.design.digest, rater=self.code, consented=day))

    def votes(self) -> list[Vote]:
        """Return all votes of the rater, superseded ones too."""
        return _votes(self._lines())

    def add(self, vote: Vote, trial: Trial) -> None:
        """Append a vote; it is on disk when this returns.

        Raises:
            StudyError: the trial has another vote than the one this supersedes.
        """
        with self._locked() as (file, lines):
            check_supersedes(_votes(lines), vote)
            _append(file, VoteLine.of_vote(self.design.digest, self.code, vote))

    def _lines(self) -> list[VoteLine]:
        try:
            return self._checked(self.path.read_bytes()) if self.path.exists() else []
        except OSError as error:
            raise PacketError(f"cannot read {self.path}: {error.strerror}") from None

    def _checked(self, text: bytes) -> list[VoteLine]:
        """The lines of the file's bytes, all of this study and rater."""
        lines, torn = parse(text, str(self.path)), text.rpartition(b"\n")[2]
        if torn[: len(BEGINNING)] != BEGINNING[: len(torn)]:  # no vote of ours was torn: it is somebody's file
            raise PacketError(f"{self.path} is not a file of votes; name another file")
        for line in lines:
            if (line.study, line.rater) != (self.design.digest, self.code):
                raise PacketError(f"{self.path} holds votes of another study or rater; name another file")
        return lines

    @contextmanager
    def _locked(self) -> Iterator[tuple[BinaryIO, list[VoteLine]]]:
        """The file under an exclusive lock, its torn end cut off, and its lines."""
        import fcntl

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch(0o600)
            with self.path.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                text = file.read()
                lines = self._checked(text)  # before anything is cut
                file.truncate(text.rfind(b"\n") + 1)
                yield file, lines
        except OSError as error:
            raise PacketError(f"cannot write {self.path}: {error.strerror}") from None


def parse(text: bytes, name: str) -> list[VoteLine]:
    """Read the lines of a file of votes; a last line without its end was torn, and is left out.

    Args:
        text: the file's bytes.
        name: the file's name for messages.

    Raises:
        PacketError: the file is too large, or a line is neither a consent nor a vote.
    """
    if len(text) > LARGEST:
        raise PacketError(f"{name} has {len(text)} bytes; at most {LARGEST} are read")
    lines = []
    for number, line in enumerate(text.split(b"\n")[:-1], start=1):
        try:
            if len(line) > LONGEST:
                raise PacketError(f"{len(line)} bytes; a vote has at most {LONGEST}")
            lines.append(read_line(line))
        except PacketError as error:
            raise PacketError(f"{name}, line {number}: {error}") from None
    return lines


def _votes(lines: list[VoteLine]) -> list[Vote]:
    return [vote for line in lines if (vote := line.vote()) is not None]


def _append(file: BinaryIO, line: VoteLine) -> None:
    file.seek(0, os.SEEK_END)
    file.write(line.text().encode())
    file.flush()
    os.fsync(file.fileno())
