"""The paper's items on a grid of Pocket that takes seconds: one subject, two styles, two steps."""

from __future__ import annotations

from pathlib import Path

import typer
from typer.testing import CliRunner, Result

from judge.cli.paper import paper

PLAN = """
title = "tiny"
base = "pocket"
[contents]
names = ["dog-8"]
[styles]
names = ["glowing", "oil-painting-2"]
[pictures]
seeds = 1
steps = 2
[[methods]]
method = "direct"
[[methods]]
method = "direct"
name = "average"
weights = [0.5, 0.5]
[[methods]]
method = "lorarar"
"""


def write_test_plan(folder: Path) -> Path:
    """A plan that stands for the test grid; ``judge.paper.grids.TEST`` is set to it."""
    path = folder / "tiny.toml"
    path.write_text(PLAN)
    return path


def run_paper(*arguments: object) -> Result:
    """``lorarar paper`` with these arguments."""
    app = typer.Typer()
    app.command()(paper)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])
