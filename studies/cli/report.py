"""``lorarar study report``"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.cli.console import DbOption, JsonOption, SeedOption, command, one_form, one_of, print_json, print_text
from lorarar.cli.help_pages import help_page
from lorarar.cli.table_layout import print_table
from lorarar.util.text import one_line
from studies.cli.options import NameArgument, open_to_read
from studies.errors import StudyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studies.figures import StudyReport
    from studies.reports.item_table import ItemRow
    from studies.reports.rater_table import RaterRow

FORMATS = ("table", "json", "csv", "markdown")


@help_page(
    "lorarar study report dogs",
    "lorarar study report dogs --by item --format csv",
)
@command
def report(
    name: NameArgument,
    form: Annotated[str, typer.Option("--format", help="table, json, csv or markdown.")] = "table",
    by: Annotated[
        str | None, typer.Option("--by", help="item or rater: a row each.", show_default="the figures", metavar="WHAT")
    ] = None,
    simulated: Annotated[bool, typer.Option("--simulated", help="On simulated raters instead of people.")] = False,
    attentive: Annotated[
        bool, typer.Option("--attentive", help="Without raters who failed an attention check.")
    ] = False,
    resamples: Annotated[
        int | None, typer.Option("--resamples", help="For the intervals.", show_default="2000", metavar="N")
    ] = None,
    seed: SeedOption = 0,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what came of a study: outcomes, agreement, people against metrics, each with its interval."""
    from studies.reports.report import make_report, make_rows
    from studies.statistics.draws import Draws

    form = one_form(as_json, one_of("--format", form, FORMATS, StudyError), "table", StudyError)
    with open_to_read(db) as store:
        if by is not None:
            _print_rows(form, name, by, make_rows(store, name, by, simulated, attentive))
            return
        draws = Draws(seed=seed) if resamples is None else Draws(resamples, seed)
        _print_report(form, make_report(store, name, simulated, attentive, draws))


def _print_report(form: str, study_report: StudyReport) -> None:
    from studies import rendering

    if form == "json":
        print_json(rendering.as_record(study_report))
    elif form == "table":
        for table in rendering.as_tables(study_report):
            print_table(table)
    else:
        writers = {"csv": rendering.as_csv, "markdown": rendering.as_markdown}
        print_text(writers[form](study_report), end="")


def _print_rows(form: str, name: str, by: str, rows: Sequence[ItemRow | RaterRow]) -> None:
    from studies import row_rendering

    title = f"Study {one_line(name)}: {by}s"
    if form == "json":
        print_json(row_rendering.records(rows))
    elif form == "table":
        print_table(row_rendering.as_table(title, rows))
    elif form == "csv":
        print_text(row_rendering.as_csv(rows), end="")
    else:
        print_text(row_rendering.as_markdown(title, rows), end="")
