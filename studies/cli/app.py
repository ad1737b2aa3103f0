"""``lorarar study``: gathered by the command line, which is the only part of lorarar that knows the studies."""

from __future__ import annotations

import typer

from studies.cli.delete_rater import delete_rater
from studies.cli.export import export
from studies.cli.list_studies import list_studies
from studies.cli.new import new
from studies.cli.report import report
from studies.cli.run import run
from studies.cli.serve import serve
from studies.cli.simulate import simulate
from studies.cli.take_in import take_in

app = typer.Typer(no_args_is_help=True, help="Blind studies with people: design, hold, report.")
app.command()(new)
app.command()(run)
app.command()(export)
app.command("import")(take_in)
app.command()(serve)
app.command("list")(list_studies)
app.command()(report)
app.command()(simulate)
app.command("delete-rater")(delete_rater)
