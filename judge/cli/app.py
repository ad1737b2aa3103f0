"""``lorarar judge``, the command group; lorarar finds it by its entry point."""

from __future__ import annotations

import typer

from judge.cli.check import check
from judge.cli.critics import critics
from judge.cli.exploit import exploit, exploit_flags
from judge.cli.metrics import metrics
from judge.cli.options import critic_flags
from judge.cli.report import report
from judge.cli.run import run, run_flags
from lorarar.cli.flags import flagged
from lorarar.cli.help_pages import JUDGING

app = typer.Typer(
    no_args_is_help=True, rich_help_panel=JUDGING, help="Judge pictures: MARS2 by a critic, CLIP-I and other metrics."
)
app.command(cls=flagged(run_flags))(run)
app.command()(report)
app.command()(metrics)
app.command(cls=flagged(critic_flags))(check)
app.command(cls=flagged(exploit_flags))(exploit)
app.command()(critics)
