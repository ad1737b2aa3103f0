"""Sessions of raters: on a study in a database, or on a packet."""

from __future__ import annotations

from pathlib import Path

from lorarar.store import Store
from studies.rater.names import new_code, rater_code
from studies.rater.packet import read_packet
from studies.rater.session import Session
from studies.rater.vote_file import VoteFile
from studies.store import RaterStore, StoredVoteLog, StudyStore
from studies.store.gate import check_open


def open_study(store: Store, name: str, code: str | None = None) -> Session:
    """Open one rater's session on a study of the database.

    Args:
        store: the database of results.
        name: the study's.
        code: the rater's; None for a new rater.

    Raises:
        ClosedError: the study takes no more votes.
        StudyError: there is no such study, the code is not valid, or its rater was deleted.
    """
    studies = StudyStore(store)
    study = studies.get(name)
    check_open(store, study)
    raters = RaterStore(store, study)
    code = raters.new_code() if code is None else rater_code(code)
    raters.check_not_withdrawn(code)
    return Session(study.design, code, studies.picture, StoredVoteLog(store, study, code))


def open_packet(packet: str | Path, code: str | None = None, votes: str | Path | None = None) -> Session:
    """Open one rater's session on a packet.

    Args:
        packet: the packet's file.
        code: the rater's; None for a new rater.
        votes: the file that votes go to; ``PACKET-CODE.jsonl`` beside the packet unless it is named.

    Raises:
        PacketError: the packet or the file of votes is not what it should be.
        StudyError: the code is not valid.
    """
    path = Path(packet)
    design, pictures = read_packet(path)
    code = new_code() if code is None else rater_code(code)
    file = Path(votes) if votes is not None else votes_beside(path, code)
    return Session(design, code, pictures.__getitem__, VoteFile(file, design, code))


def votes_beside(packet: Path, code: str) -> Path:
    """The file of a rater's votes on a packet, where no other is named."""
    return packet.with_name(f"{packet.stem}-{code}.jsonl")
