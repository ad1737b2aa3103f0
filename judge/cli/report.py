"""``lorarar judge report``."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from judge.cli.options import GeneratedOption, ImagesOption, ReferencesOption
from judge.errors import JudgeError
from lorarar.cli.console import DbOption, command, one_of, open_for_reading, print_json
from lorarar.store import default_path
from lorarar.util.messages import message
from lorarar.util.outputs import check_output
from lorarar.util.text import clean

if TYPE_CHECKING:
    from rich.table import Table as RichTable

    from judge.report.report import JudgeReport
    from lorarar.util.tables import Table

FORMATS = ("table", "json", "csv", "markdown", "latex")
WIDEST = 1000  # columns; more than any table takes
HEAD = 10  # columns of a head, if its words allow


@command
def report(
    by: Annotated[str, typer.Option("--by", help="method, subject, style or cell.")] = "method",
    form: Annotated[str, typer.Option("--format", help="table, json, csv, markdown or latex.")] = "table",
    gallery: Annotated[
        Path | None,
        typer.Option("--gallery", help="Also write a self-contained page of all pictures.", metavar="FILE.html"),
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="Compare all methods with this one, pair by pair.", metavar="METHOD")
    ] = None,
    critic: Annotated[str | None, typer.Option("--critic", help="Only by this critic, as it is recorded.")] = None,
    prompts: Annotated[
        str | None, typer.Option("--prompts", help="Only with these prompts: a name or a version.")
    ] = None,
    judge: Annotated[
        int | None, typer.Option("--judge", help="By its number in the database.", show_default="who judged most")
    ] = None,
    images: ImagesOption = "",
    generated: GeneratedOption = None,
    references: ReferencesOption = None,
    db: DbOption = None,
) -> None:
    """Print the paper's tables of what was judged, with intervals, the paper's own figures beside them."""
    from judge.metrics.scores import ScoreStore
    from judge.pictures import JudgedTargets
    from judge.report.groups import By
    from judge.report.report import choose_judge, make_report
    from judge.targets import find_targets, report_collection
    from judge.verdicts import VerdictStore

    grouping = cast(By, one_of("--by", by, get_args(By), JudgeError))
    one_of("--format", form, FORMATS, JudgeError)
    if gallery is not None:
        check_output(gallery, ".html", inputs=[db or default_path()], option="--gallery")
    with open_for_reading(db) as store:
        pictures = find_targets(store, images, generated, references)
        report_collection(pictures)
        targets = JudgedTargets(pictures, VerdictStore(store))
        chosen = choose_judge(targets, critic, prompts, judge)
        result = make_report(targets, chosen, ScoreStore(store), grouping, against)
    _print_report(result, form)
    if gallery is not None:
        from judge.report.gallery import write_gallery

        message(f"gallery: {write_gallery(result, gallery)}")


def _print_report(report: JudgeReport, form: str) -> None:
    from judge.report.tables import csv_rows, judge_record, records, tables
    from lorarar.util.tables import as_csv, as_latex, as_markdown

    if form == "json":
        print_json(
            {
                "judge": judge_record(report.judge),
                "collection": report.collection.label,
                "backbones": dict(report.backbones),
                "by": report.by,
                "groups": records(report),
            }
        )
    elif form == "csv":
        print(as_csv(*csv_rows(report)), end="")
    elif form == "table":
        for table in tables(report):
            print_table(table)
    else:
        print((as_markdown if form == "markdown" else as_latex)(tables(report)), end="")


def print_table(table: Table) -> None:
    """Print a table, with its notes below; intervals stand below their figures where the terminal is narrow."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    whole = _rich_table(table)
    wide = console.measure(whole, options=console.options.update(width=WIDEST)).maximum
    console.print(whole if wide <= console.width else _rich_table(table, narrow=True))
    for note in table.notes:
        console.print(Text(clean(note)), style="dim")


def _rich_table(table: Table, *, narrow: bool = False) -> RichTable:
    """A table as rich draws it; no word is ever cut, and heads are no wider than need be."""
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    rich_table = RichTable(title=Text(clean(table.title)), box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for head, *cells in zip(table.head, *table.rows, strict=True):
        longest = max((len(word) for text in (head, *cells) for word in clean(text).split()), default=1)
        rich_table.add_column(Text(fill(clean(head), max(longest, HEAD))), min_width=longest)
    for row in table.rows:
        rich_table.add_row(*(Text(clean(cell).replace(" (", "\n(" if narrow else " (")) for cell in row))
    return rich_table
