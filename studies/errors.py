"""What can go wrong with a study."""

from __future__ import annotations

from lorarar.util.errors import LorarError


class StudyError(LorarError):
    """A study that cannot be drawn, held, or reported as asked."""

    title = "Study"


class PacketError(LorarError):
    """A packet or a file of votes that is not what it should be; nothing of it was written."""

    title = "Packet"
