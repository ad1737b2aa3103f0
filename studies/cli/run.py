"""``lorarar study run``"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from lorarar.cli.console import DbOption, command, say
from studies.cli.options import RaterOption, open_store

if TYPE_CHECKING:
    from collections.abc import Callable

    from studies.session import Session


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
    voting = _voting()
    if name.lower().endswith(".zip"):
        from studies.opening import open_packet, votes_beside

        session = open_packet(name, rater, votes)
        voting(session, images)
        _say(session)
        print(votes or votes_beside(Path(name), session.code))
        return
    from studies.opening import open_study

    with open_store(db) as store:
        session = open_study(store, name, rater)
        voting(session, images)
    _say(session)


def _say(session: Session) -> None:
    """How far the rater is, and how to go on."""
    done, total = session.progress.done, session.progress.total
    go_on = "all is answered, thank you" if session.finished else f"to go on, start again with --rater {session.code}"
    say(f"{done} of {total} answered; {go_on}")


def _voting() -> Callable[[Session, str], None]:
    """The app's voting screens.

    Raises:
        StudyError: the app is not installed.
    """
    from studies.errors import StudyError

    try:
        voting = import_module("tui.voting")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("tui", "textual", "textual_image"):
            raise
        raise StudyError(f"the app with the voting screens is not installed ({error})") from None
    return cast("Callable[[Session, str], None]", voting.run)
