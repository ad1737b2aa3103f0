"""Figures that their data do not define."""

from __future__ import annotations

from lorarar.util.errors import LorarError


class UndefinedError(LorarError):
    """A figure that these votes, or other data, do not define; the message says why."""

    title = "Undefined"
