"""Errors of studies and packets."""

from __future__ import annotations

from lorarar.util.errors import LorarError


class StudyError(LorarError):
    """A study cannot be made, held or reported as asked."""

    title = "Study"


class ClosedError(StudyError):
    """A study that was closed takes no more votes."""


class PacketError(LorarError):
    """A packet or a file of votes is not what it should be; nothing of it was written."""

    title = "Packet"
