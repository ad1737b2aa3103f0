"""One rater's votes in a file of JSON lines beside a packet.

A line is appended, flushed and synced before a vote is acknowledged, under a lock, so that two windows lose
nothing. A line torn by a kill was never acknowledged; the next start cuts it off. A session takes only what it has
read or written itself for the beginning of its file: one that vanishes or changes meanwhile ends the session.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from studies.errors import PacketError, UnsavedVoteError
from studies.rater.design import Design
from studies.rater.packet_format import VoteLine, read_line
from studies.rater.trials import Trial
from studies.rater.votes import Vote, VoteHistory

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
        self._seen = b""  # what this session knows the file to begin with
        self._lines()

    def consented(self) -> bool:
        """Whether the rater has agreed to take part."""
        return any(line.consented is not None for line in self._lines())

    def consent(self, day: str) -> None:
        """Record that the rater agreed on this day.

        Raises:
            UnsavedVoteError: the file cannot be written just now.
        """
        with self._locked() as (file, _):
            self._append(file, VoteLine(study=self.design.digest, rater=self.code, consented=day))

    def votes(self) -> list[Vote]:
        """Return all votes of the rater, superseded ones too."""
        return _votes(self._lines())

    def add(self, vote: Vote, trial: Trial) -> None:
        """Append a vote; it is on disk when this returns.

        Raises:
            UnsavedVoteError: the file cannot be written just now.
            RefusedVoteError: the trial has another vote than the one this supersedes.
            PacketError: what was in the file is not there any more.
        """
        with self._locked() as (file, lines):
            VoteHistory(_votes(lines)).add(vote)
            self._append(file, VoteLine.of_vote(self.design.digest, self.code, vote))

    def _lines(self) -> list[VoteLine]:
        try:
            return self._checked(self.path.read_bytes() if self.path.exists() else b"").lines
        except OSError as error:
            raise PacketError(f"cannot read {self.path}: {error.strerror}") from None

    def _checked(self, text: bytes) -> VoteText:
        """What the file holds, all of it of this study and rater, and of what this session knows nothing lost."""
        if not text.startswith(self._seen):
            raise PacketError(
                f"{self.path} was changed or taken away while this session was open; nothing more is written. Put it "
                "back as it was and start again"
            )
        held = parse(text, str(self.path))
        if held.torn[: len(BEGINNING)] != BEGINNING[: len(held.torn)]:  # no vote of ours was torn: somebody's file
            raise PacketError(f"{self.path} is not a file of votes; name another file")
        for line in held.lines:
            if (line.study, line.rater) != (self.design.digest, self.code):
                raise PacketError(f"{self.path} holds votes of another study or rater; name another file")
        self._seen = text.removesuffix(held.torn)
        return held

    @contextmanager
    def _locked(self) -> Iterator[tuple[BinaryIO, list[VoteLine]]]:
        """The file under an exclusive lock, its torn end cut off, and its lines."""
        import fcntl

        try:
            if not self._seen:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self.path.touch(0o600)
            elif not self.path.exists():
                self._checked(b"")
            with self.path.open("r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                held = self._checked(file.read())  # before anything is cut
                file.truncate(len(self._seen))
                yield file, held.lines
        except OSError as error:
            raise UnsavedVoteError(f"the file of votes cannot be written: {error.strerror}; try again") from error

    def _append(self, file: BinaryIO, line: VoteLine) -> None:
        """Append a line, after the end of the last one where that lacks it; a half written one is taken back."""
        end = b"\n" if self._seen and not self._seen.endswith(b"\n") else b""
        more = end + line.text().encode()
        try:
            file.seek(len(self._seen))
            file.write(more)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):
                file.truncate(len(self._seen))
            raise
        self._seen += more


@dataclass(frozen=True)
class VoteText:
    """What a file of votes holds."""

    lines: list[VoteLine]
    torn: bytes  # the beginning of a last line whose rest never came; empty where the last line is whole


def parse(text: bytes, name: str) -> VoteText:
    """Read a file of votes; a last line that was torn is left out, one that only lacks its end is taken.

    Args:
        text: the file's bytes.
        name: the file's name for messages.

    Raises:
        PacketError: the file is too large, or a line is neither a consent nor a vote.
    """
    if len(text) > LARGEST:
        raise PacketError(f"{name} has {len(text)} bytes; at most {LARGEST} are read")
    *whole, last = text.split(b"\n")
    torn = b"" if _is_json(last) else last
    if last and not torn:
        whole.append(last)
    lines = []
    for number, line in enumerate(whole, start=1):
        try:
            if len(line) > LONGEST:
                raise PacketError(f"{len(line)} bytes; a vote has at most {LONGEST}")
            lines.append(read_line(line))
        except PacketError as error:
            raise PacketError(f"{name}, line {number}: {error}") from None
    return VoteText(lines, torn)


def _is_json(text: bytes) -> bool:
    """Whether a last line is whole; what lacks its rest is no JSON."""
    try:
        json.loads(text[: LONGEST + 1])
    except (ValueError, RecursionError):
        return False
    return True


def _votes(lines: list[VoteLine]) -> list[Vote]:
    return [vote for line in lines if (vote := line.vote()) is not None]
