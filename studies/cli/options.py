"""Options that several commands share: the name of a study, the database it is in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

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
    from lorarar.store import Store, default_path
    from lorarar.util.errors import StoreError

    path = db or default_path()
    if not path.is_file():
        raise StoreError(
            f"{path} does not exist; name the database with --db, or fill one with: lorarar bench run quick"
        )
    return Store(path)
