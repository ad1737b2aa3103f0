"""Errors of studies and packets."""

from __future__ import annotations

from lorarar.util.errors import LorarError


class StudyError(LorarError):
    """A study cannot be made, held or reported as asked."""

    title = "Study"


class ClosedError(StudyError):
    """A study that was closed takes no more votes."""


class RefusedVoteError(StudyError):
    """A vote that does not follow what stands: the session has to be read anew before the rater goes on."""


class SettledVoteError(RefusedVoteError):
    """An answer was changed so often that it stays as it is."""


class UnsavedVoteError(StudyError):
    """What a rater did could not be written just now and can be tried again; the cause names the place.

    The message is for raters, who may see no path.
    """


class PacketError(LorarError):
    """A packet or a file of votes is not what it should be; nothing of it was written."""

    title = "Packet"
