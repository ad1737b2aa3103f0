"""Options that several commands share: the name of a study, the database it is in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.store.command_line import command_line
from lorarar.store.opening import open_existing_store, open_for_reading

if TYPE_CHECKING:
    from lorarar.store import Store

NameArgument = Annotated[str, typer.Argument(help="The study's name.", metavar="NAME")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
RaterOption = Annotated[
    str | None, typer.Option("--rater", help="Your code; to go on where you left off.", show_default="a new one")
]


def open_store(db: Path | None) -> Store:
    """Open the database to write, which has to exist: a study shows the pictures that it holds.

    Raises:
        StoreError: it does not exist.
    """
    return open_existing_store(db, _how_to_fill())


def open_to_read(db: Path | None) -> Store:
    """Open the database to read it alone.

    Raises:
        StoreError: it does not exist.
    """
    return open_for_reading(db, _how_to_fill())


def _how_to_fill() -> str:
    return f", or fill one with: {command_line('lorarar bench run quick')}"
