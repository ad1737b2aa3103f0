"""What can be wrong with workers."""

from __future__ import annotations

from lorarar.util.errors import LorarError


class WorkersError(LorarError):
    """Workers that cannot be had, do not fit, or have died at their work."""

    title = "Workers"


class DeadlyJobError(WorkersError):
    """A job at which worker after worker has died."""
