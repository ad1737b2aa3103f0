"""``lorarar judge report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from judge.choice import PictureChoice
from judge.cli.options import GeneratedOption, ImagesOption, ReferencesOption
from judge.errors import JudgeError
from lorarar.cli.console import DbOption, JsonOption, command, one_form, one_of, print_json, print_text
from lorarar.cli.help_pages import help_page
from lorarar.cli.table_layout import print_table
from lorarar.store import default_path
from lorarar.store.command_line import command_line
from lorarar.util.messages import message
from lorarar.util.outputs import check_output

if TYPE_CHECKING:
    from judge.reports.report import JudgeReport

FORMATS = ("table", "json", "csv", "markdown", "latex")


@help_page(
    "lorarar judge report",
    "lorarar judge report --by style --against direct --chart styles.svg",
)
@command
def report(
    by: Annotated[str, typer.Option("--by", help="method, subject, style or cell.")] = "method",
    form: Annotated[str, typer.Option("--format", help="table, json, csv, markdown or latex.")] = "table",
    paper: Annotated[bool, typer.Option("--paper", help="The paper's own figures beside, by method.")] = False,
    gallery: Annotated[
        Path | None,
        typer.Option("--gallery", help="Also write a self-contained page of all pictures.", metavar="FILE.html"),
    ] = None,
    chart: Annotated[
        Path | None,
        typer.Option("--chart", help="Also draw it: Table 1, or Figure A7 with --by.", metavar="FILE.svg|png"),
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", help="Compare all methods with this one, pair by pair.", metavar="METHOD")
    ] = None,
    critic: Annotated[
        list[str] | None,
        typer.Option("--critic", help="By this critic, as it is recorded; given several times: by a jury."),
    ] = None,
    prompts: Annotated[
        str | None, typer.Option("--prompts", help="Only with these prompts: a name or a version.")
    ] = None,
    judge: Annotated[
        list[int] | None,
        typer.Option(
            "--judge", help="By its number in the database; several are a jury.", show_default="who judged most"
        ),
    ] = None,
    confidence: Annotated[
        bool,
        typer.Option("--confidence", help="In pairs by how sure the judge is of each picture, where none was asked."),
    ] = False,
    images: ImagesOption = "",
    generated: GeneratedOption = None,
    references: ReferencesOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the paper's tables of what was judged, with intervals."""
    from judge.reports.request import ReportRequest, grouping, read_report
    from lorarar.pictures.dot_chart import check_chart

    request = ReportRequest(
        pictures=PictureChoice(db, images, generated, references),
        by=grouping(by),
        against=against,
        critics=tuple(critic or ()),
        prompts=prompts,
        judges=tuple(judge or ()),
        confidence=confidence,
    )
    form = one_form(as_json, one_of("--format", form, FORMATS, JudgeError), "table", JudgeError)
    if paper and by != "method":
        raise JudgeError(f"--paper is of methods, of which the paper has figures; with --by {by} there are none")
    database = db or default_path()
    if gallery is not None:
        check_output(gallery, ".html", inputs=[database], option="--gallery")
    check_chart(chart, [database])
    result = read_report(request)
    if paper and not result.has_published:
        raise JudgeError("--paper: the paper has figures of verdicts and of its metrics, of which there are none here")
    _print_report(result, form, paper)
    if gallery is not None:
        from judge.reports.gallery import write_gallery

        message(f"gallery: {write_gallery(result, gallery)}")
    if chart is not None:
        from judge.reports.chart import write_chart

        message(f"chart: {write_chart(result, chart, paper=paper)}")


def _print_report(report: JudgeReport, form: str, paper: bool) -> None:
    from judge.reports.conclusion import CHECK
    from judge.reports.tables import csv_rows, report_record, tables
    from lorarar.util.tables import as_csv, as_latex, as_markdown

    lead = [line.replace(CHECK, command_line(CHECK)) for line in report.lead]
    if form == "json":
        print_json(report_record(report))
    elif form == "csv":
        message(" ".join(lead))  # a spreadsheet takes no line above the head
        print_text(as_csv(*csv_rows(report, paper=paper)), end="")
    elif form == "table":
        print_text("\n".join([*lead, ""]))
        for table in tables(report, paper=paper):
            print_table(table)
    else:
        form_of = as_markdown if form == "markdown" else as_latex
        print_text(form_of(tables(report, paper=paper), lead), end="")
