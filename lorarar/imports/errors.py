"""What is wrong with an import as a whole; what is wrong with one picture is counted (``left_out``)."""

from __future__ import annotations

from lorarar.util.errors import LorarError


class ImportingError(LorarError):
    """Pictures that cannot be imported: a pattern, a manifest or a tree that says nothing sound."""

    title = "Import"
