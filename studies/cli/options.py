"""What several commands share: the name of a study, the database it is in, choices out of a few."""

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
    """The database, which has to be there: a study is drawn from what it holds.

    Raises:
        StoreError: there is none.
    """
    from lorarar.errors import StoreError
    from lorarar.store import Store, default_path

    path = db or default_path()
    if not path.is_file():
        raise StoreError(
            f"{path} does not exist; name the database with --db, or fill one with: lorarar bench run quick"
        )
    return Store(path)


def one_of(option: str, value: str, accepted: tuple[str, ...]) -> str:
    """The value, if it is accepted.

    Raises:
        StudyError: it is not; the message says what is.
    """
    from studies.errors import StudyError

    if value not in accepted:
        raise StudyError(f"{option} is {value[:40]!r}; accepted are {', '.join(accepted)}")
    return value
