"""``lorarar study``: all its commands but ``run``, which opens the app's voting screens and so lives in ``tui``."""

from __future__ import annotations

import typer

from lorarar.cli.help_pages import JUDGING
from studies.cli.close import close
from studies.cli.delete import delete
from studies.cli.delete_rater import delete_rater
from studies.cli.export import export
from studies.cli.import_votes import import_votes
from studies.cli.list_studies import list_studies
from studies.cli.new import new
from studies.cli.power import power
from studies.cli.preregister import preregister
from studies.cli.report import report
from studies.cli.serve import serve
from studies.cli.simulate import simulate
from studies.cli.tokens import tokens

app = typer.Typer(
    no_args_is_help=True, rich_help_panel=JUDGING, help="Blind studies with people: design, hold, report."
)
app.command()(new)
app.command()(power)
app.command()(preregister)
app.command()(export)
app.command("import")(import_votes)
app.command()(serve)
app.command()(tokens)
app.command("list")(list_studies)
app.command()(report)
app.command()(simulate)
app.command()(close)
app.command()(delete)
app.command("delete-rater")(delete_rater)
