"""What can go wrong with an item of the paper."""

from __future__ import annotations

from lorarar.util.errors import LorarError


class PaperError(LorarError):
    """An item that is not there, or that could not be made."""

    title = "Paper"
