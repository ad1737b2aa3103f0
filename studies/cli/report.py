"""``lorarar study report``"""

from __future__ import annotations

from typing import Annotated

import typer

from lorarar.cli.console import DbOption, JsonOption, command, one_form, one_of, print_json, print_text
from lorarar.cli.table_layout import print_table
from studies.cli.options import NameArgument, open_to_read
from studies.errors import StudyError

FORMATS = ("table", "json", "csv", "markdown")


@command
def report(
    name: NameArgument,
    form: Annotated[str, typer.Option("--format", help="table, json, csv or markdown.")] = "table",
    simulated: Annotated[bool, typer.Option("--simulated", help="On simulated raters instead of people.")] = False,
    attentive: Annotated[
        bool, typer.Option("--attentive", help="Without raters who failed an attention check.")
    ] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what came of a study: outcomes, agreement, people against metrics, each with its interval."""
    from dataclasses import asdict

    from studies import rendering
    from studies.reports.report import make_report

    form = one_form(as_json, one_of("--format", form, FORMATS, StudyError), "table", StudyError)
    with open_to_read(db) as store:
        study_report = make_report(store, name, simulated, attentive)
    if form == "json":
        print_json(asdict(study_report))
    elif form == "table":
        for table in rendering.as_tables(study_report):
            print_table(table)
    else:
        writers = {"csv": rendering.as_csv, "markdown": rendering.as_markdown}
        print_text(writers[form](study_report), end="")
