"""Errors of the judge itself; critics, metrics, targets and prompts have their own."""

from __future__ import annotations

from lorarar.util.errors import LorarError


class JudgeError(LorarError):
    """A judge, a group or a format that does not exist, or nothing to report on."""

    title = "Judge"


class UnjudgedError(JudgeError):
    """No judge that is meant has a clear verdict on single pictures."""
