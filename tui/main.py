"""``lorarar-tui``: the terminal app."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import DbOption, command
from lorarar.version import __version__

DEFAULT = Path("lorarar.db")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"lorarar {__version__}")
        raise typer.Exit


@app.command()
@command
def main(
    db: DbOption = None,
    images: Annotated[str, typer.Option("--images", help="auto, kitty, sixel, half or none.", metavar="MODE")] = "auto",
    study: Annotated[str, typer.Option("--study", help="Vote in this study.", metavar="NAME")] = "",
    rater: Annotated[str, typer.Option("--rater", help="Your code in the study.", metavar="CODE")] = "",
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Browse merges as pictures, and vote in studies. Press ? for the keys of a screen."""
    from tui.images import choose

    drawing = choose(images)  # before the app owns the terminal
    from tui.app import LorararApp

    browser = LorararApp(db or DEFAULT, drawing)
    browser.catalog.check()
    browser.run()


if __name__ == "__main__":
    app()
