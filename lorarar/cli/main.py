"""``lorarar``: the engine's own commands, and those that the rooms above it and other packages give."""

from __future__ import annotations

import logging
import os

import typer

from lorarar.cli.backup import backup
from lorarar.cli.bench import app as bench
from lorarar.cli.coefficients import coefficient_flags, coefficients
from lorarar.cli.console import VersionOption
from lorarar.cli.convert import convert, convert_flags
from lorarar.cli.db import app as db
from lorarar.cli.demo import demo
from lorarar.cli.doctor import doctor
from lorarar.cli.flags import flagged
from lorarar.cli.gather import gather
from lorarar.cli.generate import generate
from lorarar.cli.help_pages import SETTINGS, QuietOption
from lorarar.cli.inspect import inspect
from lorarar.cli.merge import merge, merge_flags
from lorarar.cli.methods import methods
from lorarar.cli.pictures import app as pictures
from lorarar.cli.plugins import root_group
from lorarar.cli.pocket import app as pocket
from lorarar.cli.train import app as train

# Their hints (a missing torchvision, say) are for programmers; whoever sets these variables keeps them.
for _library in ("TRANSFORMERS_VERBOSITY", "DIFFUSERS_VERBOSITY"):
    os.environ.setdefault(_library, "error")
# peft imports it wherever it is installed, and it then warns of what none of our commands use.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)

app = typer.Typer(
    cls=root_group({"train": train, "bench": bench, "pocket": pocket, "pictures": pictures, "db": db}),
    no_args_is_help=True,
    context_settings=SETTINGS,
    pretty_exceptions_enable=False,
    help="Merge content and style LoRAs, generate with them, and keep what came of it.",
)
app.command(cls=flagged(merge_flags))(merge)
app.command(cls=flagged(convert_flags))(convert)
app.command()(methods)
app.command()(generate)
app.command(cls=flagged(coefficient_flags))(coefficients)
app.command()(inspect)
app.command()(demo)
app.command()(doctor)
app.command()(backup)
app.command()(gather)


@app.callback()
def root(version: VersionOption = False, quiet: QuietOption = False) -> None:
    """LoRA.rar: merge a content and a style LoRA in milliseconds, on SDXL or on the embedded Pocket."""
