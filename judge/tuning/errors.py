"""What goes wrong with a search."""

from __future__ import annotations

from lorarar.util.errors import LorarError


class TuningError(LorarError):
    """A search that cannot be made: a budget that is too small, nothing to search, a goal that there is not."""

    title = "Tuning"
