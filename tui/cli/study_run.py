"""``lorarar study run``: the command that opens the voting screens."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import DbOption, command, print_path
from lorarar.cli.help_pages import help_page
from lorarar.store import default_path
from lorarar.util.outputs import check_output
from studies.cli.options import RaterOption, open_store
from tui.cli.shared import ImagesOption, say_progress


@help_page("lorarar study run dogs --rater ANNA")
@command
def run(
    name: Annotated[str, typer.Argument(help="A study's name, or a packet.", metavar="NAME|PACKET.zip")],
    rater: RaterOption = None,
    votes: Annotated[
        Path | None, typer.Option("--votes", help="With a packet: the file of votes.", show_default="beside the packet")
    ] = None,
    images: ImagesOption = "auto",
    db: DbOption = None,
) -> None:
    """Vote, in the terminal; every vote is on disk before the next pictures show."""
    from studies.errors import StudyError
    from studies.sessions import open_packet, open_study, votes_beside
    from tui import voting

    packet = name.lower().endswith(".zip")
    if votes is not None and not packet:
        raise StudyError("--votes goes with a packet; the votes of a study go to its database")
    if packet:
        if votes is not None:
            check_output(votes, inputs=[Path(name), db or default_path()], option="--votes")
        session = open_packet(name, rater, votes)
        voting.run(session, images)
    else:
        with open_store(db) as store:
            session = open_study(store, name, rater)
            voting.run(session, images)
    say_progress(session, f"to go on, start again with --rater {session.code}")
    if packet:
        print_path(votes or votes_beside(Path(name), session.code))
