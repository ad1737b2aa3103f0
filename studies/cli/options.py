"""Options that several commands share: the name of a study, the database it is in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.cli.console import open_existing_store

if TYPE_CHECKING:
    from lorarar.store import Store

NameArgument = Annotated[str, typer.Argument(help="The study's name.", metavar="NAME")]
RaterOption = Annotated[
    str | None, typer.Option("--rater", help="Your code; to go on where you left off.", show_default="a new one")
]


def open_store(db: Path | None) -> Store:
    """Open the database, which has to exist: a study shows the pictures that it holds.

    Raises:
        StoreError: it does not exist.
    """
    return open_existing_store(db, ", or fill one with: lorarar bench run quick")
