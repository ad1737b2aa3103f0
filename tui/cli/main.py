"""``lorarar-tui``: the terminal app."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import DbOption, VersionOption, command
from lorarar.cli.help_pages import LOOKING, SETTINGS, PageCommand, help_page
from lorarar.store import default_path
from lorarar.store.command_line import command_line
from lorarar.store.opening import open_existing_store
from tui.cli.shared import ImagesOption, say_progress

os.environ.setdefault("ESCDELAY", "25")  # ms until Escape is a key of its own; Textual's 100 ms are felt

app = typer.Typer(context_settings=SETTINGS, pretty_exceptions_enable=False)


@app.command(cls=PageCommand)
@help_page(
    "lorarar tui",
    "lorarar tui --db results.db",
    panel=LOOKING,
)
@command
def main(
    db: DbOption = None,
    images: ImagesOption = "auto",
    study: Annotated[str, typer.Option("--study", help="Vote in this study.", metavar="NAME")] = "",
    rater: Annotated[str, typer.Option("--rater", help="Your code in the study.", metavar="CODE")] = "",
    version: VersionOption = False,
) -> None:
    """Browse merges as pictures, and vote in studies. Press ? for the keys of a screen."""
    with collector_at_rest():
        from tui.picture_mode import AppError, check_choice, choose
        from tui.terminal import check_terminal
    check_choice(images)
    path = db or default_path()
    if study:
        vote(path, study, rater or None, images)
        return
    if rater:
        raise AppError("--rater goes with --study NAME")
    with collector_at_rest():
        from tui.catalog import Catalog
        from tui.first_read import FirstRead

        Catalog(path).check()
        check_terminal()
        first_read = FirstRead(path)
        picture_mode = choose(images)  # before the app owns the terminal
        from tui.app import LorararApp

    while name := LorararApp(path, picture_mode, first_read=first_read).run():
        vote(path, name, None, images)


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Look for no garbage while modules load, nor ever in them: there is none, and each look is felt."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def vote(path: Path, study: str, rater: str | None, images: str) -> None:
    """Vote in a study of the database, and say how to go on.

    Raises:
        StudyError: there is no such study, or the code cannot be one.
    """
    from studies.errors import StudyError
    from studies.sessions import open_study
    from tui.voting import run

    with open_existing_store(path, error=StudyError) as store:
        session = open_study(store, study, rater)
        run(session, images)
    if session.consented and not session.finished:
        again = command_line(f"lorarar-tui --study {study} --rater {session.code}")
        say_progress(session, f"go on with: {again}")


if __name__ == "__main__":
    app()
