"""Where sessions come from: a study in a database, or a packet."""

from __future__ import annotations

from pathlib import Path

from lorarar.store import Store
from studies.errors import StudyError
from studies.rater.names import new_code, rater_code
from studies.rater.packet import read_packet
from studies.rater.session import Session
from studies.rater.vote_file import VoteFile
from studies.store import StoredVoteLog, StudyStore


def open_study(store: Store, name: str, code: str | None = None) -> Session:
    """One rater's session on a study of the database; without a code, a new rater's.

    Raises:
        StudyError: there is no such study, the code cannot be one, or its rater was deleted.
    """
    studies = StudyStore(store)
    study = studies.get(name)
    code = studies.new_rater(study) if code is None else rater_code(code)
    if studies.withdrawn(study, code):
        raise StudyError(f"the rater {code} was deleted from the study {study.name}; take part under a new code")
    return Session(study.design, code, studies.picture, StoredVoteLog(studies, study, code))


def open_packet(packet: str | Path, code: str | None = None, votes: str | Path | None = None) -> Session:
    """One rater's session on a packet; votes go to ``PACKET-CODE.jsonl`` beside it, or to ``votes``.

    Raises:
        PacketError: the packet or the file of votes is not what it should be.
        StudyError: the code cannot be one.
    """
    path = Path(packet)
    design, pictures = read_packet(path)
    code = new_code() if code is None else rater_code(code)
    file = Path(votes) if votes is not None else votes_beside(path, code)
    return Session(design, code, pictures.__getitem__, VoteFile(file, design, code))


def votes_beside(packet: Path, code: str) -> Path:
    """Where a rater's votes on a packet are kept unless another place is named."""
    return packet.with_name(f"{packet.stem}-{code}.jsonl")
