"""``lorarar study run``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.cli.console import DbOption, command, message
from studies.cli.options import RaterOption, open_store

if TYPE_CHECKING:
    from studies.rater.session import Session


@command
def run(
    name: Annotated[str, typer.Argument(help="A study's name, or a packet.", metavar="NAME|PACKET.zip")],
    rater: RaterOption = None,
    votes: Annotated[
        Path | None, typer.Option("--votes", help="With a packet: the file of votes.", show_default="beside the packet")
    ] = None,
    images: Annotated[str, typer.Option("--images", help="auto, kitty, sixel, half or none.", metavar="MODE")] = "auto",
    db: DbOption = None,
) -> None:
    """Vote, in the terminal; every vote is on disk before the next pictures show."""
    from tui import voting

    if name.lower().endswith(".zip"):
        from studies.sessions import open_packet, votes_beside

        session = open_packet(name, rater, votes)
        voting.run(session, images)
        _say(session)
        print(votes or votes_beside(Path(name), session.code))
        return
    from studies.sessions import open_study

    with open_store(db) as store:
        session = open_study(store, name, rater)
        voting.run(session, images)
    _say(session)


def _say(session: Session) -> None:
    """How far the rater is, and how to go on."""
    done, total = session.progress.done, session.progress.total
    go_on = "all is answered, thank you" if session.finished else f"to go on, start again with --rater {session.code}"
    message(f"{done} of {total} answered; {go_on}")
