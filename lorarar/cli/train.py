"""``lorarar train``: one file a command, and their group."""

from __future__ import annotations

import typer

from lorarar.cli.flags import flagged
from lorarar.cli.help_pages import DRAWING
from lorarar.cli.train_flags import lora_flags
from lorarar.cli.train_hypernet import hypernet, hypernet_flags
from lorarar.cli.train_joint import joint
from lorarar.cli.train_lora import lora
from lorarar.cli.train_loras import loras
from lorarar.cli.train_means import means

app = typer.Typer(no_args_is_help=True, rich_help_panel=DRAWING, help="Train LoRAs and hypernetworks.")
app.command(cls=flagged(lora_flags))(lora)
app.command(cls=flagged(lora_flags))(loras)
app.command(cls=flagged(lora_flags))(joint)
app.command(cls=flagged(hypernet_flags))(hypernet)
app.command()(means)
