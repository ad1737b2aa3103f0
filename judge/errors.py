"""What the judge's users can act on, beside what critics, metrics and prompts say for themselves."""

from __future__ import annotations

from lorarar.util.errors import LorarError


class JudgeError(LorarError):
    """A judge, a group or a format that does not exist, or nothing to report on."""

    title = "Judge"
