"""``lorarar judge report``"""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, cast

import typer

from judge.cli.options import GeneratedOption, ImagesOption, ReferencesOption
from judge.errors import JudgeError
from lorarar.cli.console import DbOption, command, message, one_of, print_json
from lorarar.util.text import clean

if TYPE_CHECKING:
    from rich.table import Table as Drawn

    from judge.report.groups import By
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
    from judge.report.report import choose_judge, make_report
    from judge.targets import find_targets
    from judge.verdicts import VerdictStore
    from lorarar.store import Store

    grouping = cast("By", one_of("--by", by, ("method", "subject", "style", "cell"), JudgeError))
    one_of("--format", form, FORMATS, JudgeError)
    with Store(db) as store:
        judged = JudgedTargets(find_targets(store, images, generated, references), VerdictStore(store))
        chosen = choose_judge(judged, critic, prompts, judge)
        made = make_report(judged, chosen, ScoreStore(store), grouping, against)
    _print_report(made, form)
    if gallery is not None:
        from judge.report.gallery import write_gallery

        message(f"gallery: {write_gallery(made, gallery)}")


def _print_report(made: JudgeReport, form: str) -> None:
    from judge.report.tables import about, csv_rows, records, tables
    from lorarar.util.tables import as_csv, as_latex, as_markdown

    if form == "json":
        print_json(
            {"judge": about(made.judge), "backbones": dict(made.backbones), "by": made.by, "groups": records(made)}
        )
    elif form == "csv":
        print(as_csv(*csv_rows(made)), end="")
    elif form == "table":
        for table in tables(made):
            print_table(table)
    else:
        print((as_markdown if form == "markdown" else as_latex)(tables(made)), end="")


def print_table(table: Table) -> None:
    """A table on stdout, with its notes below; intervals stand below their figures where the terminal is narrow."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    whole = drawn(table)
    wide = console.measure(whole, options=console.options.update(width=WIDEST)).maximum
    console.print(whole if wide <= console.width else drawn(table, narrow=True))
    for note in table.notes:
        console.print(Text(clean(note)), style="dim")


def drawn(table: Table, *, narrow: bool = False) -> Drawn:
    """A table as rich draws it; no word is ever cut, and heads are no wider than need be."""
    from rich import box
    from rich.table import Table as Drawn
    from rich.text import Text

    made = Drawn(title=Text(clean(table.title)), box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for head, *cells in zip(table.head, *table.rows, strict=True):
        longest = max((len(word) for text in (head, *cells) for word in clean(text).split()), default=1)
        made.add_column(Text(fill(clean(head), max(longest, HEAD))), min_width=longest)
    for row in table.rows:
        made.add_row(*(Text(clean(cell).replace(" (", "\n(" if narrow else " (")) for cell in row))
    return made
