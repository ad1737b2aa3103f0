"""Errors a user can act on: each is one clear line that names what was wrong and what is accepted."""

from __future__ import annotations

import os
from pathlib import Path

from lorarar.util.text import readable


class LorarError(Exception):
    """Base of all expected errors; the command line prints ``title: message`` and exits with ``exit_code``."""

    title = "Error"
    exit_code = 1


class UsageError(LorarError):
    """A value that an option never accepts."""

    title = "Usage"
    exit_code = 2  # as of other usage errors


def reason(error: BaseException) -> str:
    """The first line of another library's error, or its name where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def system_reason(error: OSError) -> str:
    """What the system says of a file or a device, with its name where it says it, in one line."""
    named = isinstance(error.filename, str | bytes)
    place = f"{readable(Path(os.fsdecode(error.filename)))}: " if named else ""
    return f"{place}{error.strerror or reason(error)}"


class AdapterError(LorarError):
    """A LoRA file that cannot be read, or two that cannot be merged."""

    title = "Adapter"


class HypernetError(LorarError):
    """A hypernetwork file that cannot be read, or one that does not know a layer's width."""

    title = "Hypernetwork"


class MethodError(LorarError):
    """An unknown merge method, or an option the method does not take."""

    title = "Method"


class BaseError(LorarError):
    """A base model that cannot be found or loaded."""

    title = "Base model"


class ImageError(LorarError):
    """A picture that cannot be read or written."""

    title = "Image"


class DrawingError(LorarError):
    """A picture that cannot be drawn: it is no finite numbers, or takes more memory than there is."""

    title = "Drawing"


class SeedError(LorarError):
    """A number that can be no seed."""

    title = "Seed"


class OutputError(LorarError):
    """A place to write to that is refused, or a name that cannot be kept."""

    title = "Output"


class StoreError(LorarError):
    """A database that cannot be opened, migrated or written."""

    title = "Database"


class TrainingError(LorarError):
    """A training that cannot start, or whose checkpoint does not fit its options."""

    title = "Training"


class PlanError(LorarError):
    """A plan of a grid that cannot be read or says something that cannot be done, or whose run had failures."""

    title = "Plan"


class OutOfMemoryError(LorarError):
    """There is too little memory for what was asked for."""

    title = "Memory"


class PocketError(LorarError):
    """Pocket's recipe or its shipped parts: an unknown subject, style or stage."""

    title = "Pocket"
