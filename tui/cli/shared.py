"""What ``lorarar-tui`` and ``lorarar study run`` share: the option for pictures, and how a rater goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.util.messages import message

if TYPE_CHECKING:
    from studies.rater.session import Session

ImagesOption = Annotated[str, typer.Option("--images", help="auto, kitty, sixel, half or none.", metavar="MODE")]


def say_progress(session: Session, how_to_go_on: str) -> None:
    """Say how many trials a rater has answered, and how to go on where some are left."""
    done, total = session.progress.done, session.progress.total
    message(f"{done} of {total} answered; {'all is answered, thank you' if session.finished else how_to_go_on}")
