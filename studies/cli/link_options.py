"""Options of the commands that make links for raters, and where those are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

HostOption = Annotated[str, typer.Option("--host", help="Address to listen on.")]
PortOption = Annotated[int, typer.Option("--port", help="Port to listen on.", min=1, max=65535)]
UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="Where raters reach it, behind a proxy.", show_default="http://HOST:PORT"),
]
TokensOption = Annotated[
    Path | None, typer.Option("--tokens", help="File of tokens.", show_default="NAME.tokens beside the database")
]


def tokens_beside(database: Path, study: str) -> Path:
    """The file of a study's tokens, where no other is named."""
    return database.with_name(f"{study}.tokens")
