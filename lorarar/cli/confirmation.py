"""Asking before what cannot be taken back."""

from __future__ import annotations

import sys

import typer

from lorarar.util.errors import LorarError


def confirm(question: str, unchanged: str, error: type[LorarError], *, yes: bool) -> None:
    """Ask whether to go on, unless ``yes`` says so already.

    Args:
        question: what is asked in a terminal.
        unchanged: what the error begins with, for example "nothing was deleted".
        error: what is raised.
        yes: whether ``--yes`` was given.

    Raises:
        error: nobody can be asked, or the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise error(f"{unchanged}: nobody can be asked here; give --yes to do it unasked")
    if not typer.confirm(question, err=True):
        raise error(unchanged)
