"""Whether a study takes votes: a closed one takes none but those that were given before.

It is asked of the database whenever a vote is written, inside the transaction that writes it, so that no front end and
no import can pass it by.
"""

from __future__ import annotations

from lorarar.store import Store
from lorarar.store.command_line import command_line
from studies.errors import ClosedError
from studies.store.study import Study


def closed_on(store: Store, study: Study) -> str | None:
    """The day on which a study was closed, as the database says at this moment; None where it is open.

    Raises:
        ClosedError: it was deleted meanwhile; another one may have its number by now.
    """
    with store.reading() as database:  # once a vote: plain, so that imports are quick
        key = [study.id, study.design.digest]
        row = database.execute("SELECT closed FROM studies WHERE id = ? AND digest = ?", key).fetchone()
    if row is None:
        raise ClosedError(f"the study {study.name} was deleted and takes no more votes")
    closed: str | None = row[0]
    return closed


def check_open(store: Store, study: Study) -> None:
    """Refuse what would be a new vote of a study that is closed.

    Raises:
        ClosedError: it is.
    """
    if day := closed_on(store, study):
        raise ClosedError(f"the study {study.name} was closed on {day} and takes no more votes")


def check_day(store: Store, study: Study, day: str) -> None:
    """Refuse a vote, or a consent, of a day after the study was closed: those on packets may come back later.

    Raises:
        ClosedError: it is of such a day.
    """
    closed = closed_on(store, study)
    if closed is not None and day > closed:
        raise ClosedError(
            f"the study {study.name} was closed on {closed}, and this vote is of {day}; "
            f"to take it in, first: {command_line(f'lorarar study close {study.name} --reopen')}"
        )


def set_closed(store: Store, study: Study, day: str | None) -> None:
    """Close a study on a day, or open it again with None."""
    with store.writing():
        store.db.conn.execute("UPDATE studies SET closed = ? WHERE id = ?", [day, study.id])
