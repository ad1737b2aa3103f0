"""``lorarar judge report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from judge.cli.options import GeneratedOption, ImagesOption, ReferencesOption
from judge.errors import JudgeError
from lorarar.cli.console import DbOption, JsonOption, command, one_form, one_of, print_json, print_text
from lorarar.cli.table_layout import print_table
from lorarar.store import default_path
from lorarar.store.opening import open_for_reading
from lorarar.util.messages import message
from lorarar.util.outputs import check_output

if TYPE_CHECKING:
    from judge.reports.report import JudgeReport

FORMATS = ("table", "json", "csv", "markdown", "latex")


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
    as_json: JsonOption = False,
) -> None:
    """Print the paper's tables of what was judged, with intervals."""
    from judge.metrics.scores import ScoreStore
    from judge.pictures import JudgedTargets
    from judge.reports.groups import By
    from judge.reports.report import choose_judge, make_report
    from judge.targets import find_targets, report_collection
    from judge.verdicts import VerdictStore
    from lorarar.pictures.dot_chart import check_chart

    grouping = cast(By, one_of("--by", by, get_args(By), JudgeError))
    form = one_form(as_json, one_of("--format", form, FORMATS, JudgeError), "table", JudgeError)
    if paper and grouping != "method":
        raise JudgeError(f"--paper is of methods, of which the paper has figures; with --by {by} there are none")
    database = db or default_path()
    if gallery is not None:
        check_output(gallery, ".html", inputs=[database], option="--gallery")
    check_chart(chart, [database])
    with open_for_reading(db) as store:
        pictures = find_targets(store, images, generated, references)
        report_collection(pictures)
        targets = JudgedTargets(pictures, VerdictStore(store))
        chosen = choose_judge(targets, critic, prompts, judge)
        result = make_report(targets, chosen, ScoreStore(store), grouping, against)
    _print_report(result, form, paper)
    if gallery is not None:
        from judge.reports.gallery import write_gallery

        message(f"gallery: {write_gallery(result, gallery)}")
    if chart is not None:
        from judge.reports.chart import write_chart

        message(f"chart: {write_chart(result, chart, paper=paper)}")


def _print_report(report: JudgeReport, form: str, paper: bool) -> None:
    from judge.reports.tables import csv_rows, judge_record, records, tables
    from lorarar.util.tables import as_csv, as_latex, as_markdown

    if form == "json":
        print_json(
            {
                "judge": judge_record(report.judge),
                "collection": report.collection.label,
                "backbones": dict(report.backbones),
                "brands": list(dict.fromkeys(report.brands.values())),
                "by": report.by,
                "conclusion": report.conclusion.record(),
                "reasons": dict(report.reasons),
                "low_mass": report.low_mass,
                "groups": records(report),
            }
        )
    elif form == "csv":
        message(" ".join(report.lead))  # a spreadsheet takes no line above the head
        print_text(as_csv(*csv_rows(report, paper=paper)), end="")
    elif form == "table":
        print_text("\n".join([*report.lead, ""]))
        for table in tables(report, paper=paper):
            print_table(table)
    else:
        form_of = as_markdown if form == "markdown" else as_latex
        print_text(form_of(tables(report, paper=paper), report.lead), end="")
