"""The voting screens: consent, instruction, example, trials, thanks; ``run`` is all that the command line needs.

Invariant: a vote is on disk before the next pictures are read, and nothing here knows a method or a file: only what
a ``Session`` shows. The app that browses is not loaded, so a rater cannot wander into it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorarar.util.messages import message
from tui.picture_mode import PictureMode, check_choice, choose

if TYPE_CHECKING:
    from studies.rater.session import Session


def run(session: Session, images: str = "auto") -> None:
    """Vote in this terminal; returns when the rater leaves or is done.

    Raises:
        AppError: the picture mode is unknown, or ``none``: nobody can vote on names; or this is no terminal to judge
            pictures in. Nothing was painted.
        StudyError, PacketError: the session cannot go on; what was acknowledged is kept.
    """
    check_choice(images)
    from tui.terminal import check_terminal

    check_terminal()
    from tui.voting.conditions import check_colours, check_size

    check_colours()
    picture_mode = voting_mode(images)
    check_size(session, picture_mode)
    from tui.voting.app import VotingApp

    app = VotingApp(session, picture_mode)
    app.run()
    if app.writer.unsaved is not None:
        message(f"The last answer was not saved: {app.writer.unsaved.__cause__ or app.writer.unsaved}", "red")
    if app.failure is not None:
        raise app.failure


def voting_mode(images: str) -> PictureMode:
    """The picture mode to vote in; it has to show pictures.

    Raises:
        AppError: the mode is unknown, or ``none``.
    """
    from tui.picture_mode import AppError

    picture_mode = choose(images)
    if picture_mode.widget is None:
        raise AppError("--images is 'none'; a study needs pictures: auto, kitty, sixel or half")
    return picture_mode
