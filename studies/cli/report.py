"""``lorarar study report``"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.cli.console import DbOption, command, one_of
from lorarar.util.text import clean
from studies.cli.options import NameArgument, open_to_read
from studies.errors import StudyError

if TYPE_CHECKING:
    from rich.table import Table

    from studies.figures import Figure, StudyReport


@command
def report(
    name: NameArgument,
    form: Annotated[str, typer.Option("--format", help="table, json, csv or markdown.")] = "table",
    simulated: Annotated[bool, typer.Option("--simulated", help="On simulated raters instead of people.")] = False,
    attentive: Annotated[
        bool, typer.Option("--attentive", help="Without raters who failed an attention check.")
    ] = False,
    db: DbOption = None,
) -> None:
    """Say what came of a study: outcomes, agreement, people against metrics, each with its interval."""
    from studies import rendering
    from studies.report import report as make

    writers = {"json": rendering.as_json, "csv": rendering.as_csv, "markdown": rendering.as_markdown}
    one_of("--format", form, ("table", *writers), StudyError)
    with open_to_read(db) as store:
        study_report = make(store, name, simulated, attentive)
    if form == "table":
        _print_tables(study_report)
    else:
        print(clean(writers[form](study_report)), end="")


def _print_tables(study_report: StudyReport) -> None:
    from rich.console import Console

    from studies.figures import SIMULATED
    from studies.rendering import sections

    console = Console(highlight=False)
    marked = f", {SIMULATED}" if study_report.simulated else ""
    for section in sections(study_report):
        title = "study " + study_report.title if section == "study" else section
        console.print(f"[bold]{clean(title[0].upper() + title[1:])}[/bold]{marked}")
        if section == "study":
            for figure in study_report.section(section):
                console.print(clean(f"  {_fact(figure)}"), markup=False)
            console.print()
        else:
            console.print(_table(study_report.section(section)))


def _fact(figure: Figure) -> str:
    """A figure of the section on the study itself, in one line."""
    from studies.rendering import words

    value, interval, _, note = words(figure)
    return f"{figure.name}: {value}" + (f", {interval}" if interval else "") + (f" ({note})" if note else "")


def _table(figures: Sequence[Figure]) -> Table:
    """The figures under a line for each group of them; a column that would stay empty is left out."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from studies.rendering import words

    rows = [(figure.name, *words(figure)) for figure in figures]
    columns = [number for number in range(5) if any(row[number] for row in rows)]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for number in columns:
        table.add_column(("", "", "95 % interval", "n", "")[number], justify="right" if number == 3 else "left")
    group = ""
    for figure, row in zip(figures, rows, strict=True):
        if figure.of != group:
            group = figure.of
            table.add_row(Text(clean(group), style="bold"))
        table.add_row(*(Text(clean(row[number])) for number in columns))
    return table
