"""The voting screens: consent, instruction, example, trials, thanks; ``run`` is all that the command line needs.

Invariant: a vote is on disk before the next pictures are read, and nothing here knows a method or a file: only what
a ``Session`` shows. The app that browses is not loaded, so a rater cannot wander into it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.picture_mode import PictureMode, choose

if TYPE_CHECKING:
    from studies.rater.session import Session


def run(session: Session, images: str = "auto") -> None:
    """Vote in this terminal; returns when the rater leaves or is done.

    Raises:
        AppError: an unknown way to draw pictures, or none: nobody can vote on names.
    """
    drawing = drawing_for_votes(images)
    from tui.voting.app import VotingApp

    VotingApp(session, drawing).run()


def drawing_for_votes(images: str) -> PictureMode:
    """How pictures are drawn; votes need some.

    Raises:
        AppError: an unknown way, or none.
    """
    from tui.picture_mode import AppError

    drawing = choose(images)
    if drawing.widget is None:
        raise AppError("--images is 'none'; a study needs pictures: auto, kitty, sixel or half")
    return drawing
