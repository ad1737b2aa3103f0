"""Flags that let LoRAs into a merge which are refused else."""

from __future__ import annotations

from typing import Annotated

import typer

AnywayOption = Annotated[bool, typer.Option("--anyway", help="Take LoRAs for few steps (Turbo, LCM …) too.")]
DropMissingOption = Annotated[
    bool, typer.Option("--drop-missing", help="Leave out layers that the base does not have.")
]
