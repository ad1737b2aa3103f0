"""Flags of commands whose work can be done by workers."""

from __future__ import annotations

from typing import Annotated

import typer

WorkersOption = Annotated[
    str | None,
    typer.Option(
        "--workers",
        help="Have workers on Ray do it, one a GPU: auto, how many, or a cluster's address like 10.0.0.5:6379.",
        metavar="auto|N|ADDRESS",
        show_default="none: this process does it",
    ),
]
CpusOption = Annotated[
    int | None,
    typer.Option(
        "--cpus-per-worker",
        help="Processors of each worker; without GPUs there are as many workers as have room.",
        min=1,
        metavar="N",
        show_default="all of a machine, shared by as many workers as are asked for",
    ),
]
