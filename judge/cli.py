"""``lorarar judge``: gathered by the command line, which is the only part of lorarar that knows the judge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from lorarar.cli.console import DbOption, JsonOption, clean, command, print_json, talk

if TYPE_CHECKING:
    from judge.critics.settings import DType, ImageMode, Quantisation
    from judge.report.report import Report
    from judge.report.table import Table
    from judge.results import By
    from judge.runner import Outcome
    from judge.scores import Scored
    from judge.targets import Target
    from lorarar.store import Store

app = typer.Typer(no_args_is_help=True, help="Judge pictures: MARS2 by a critic, CLIP-I, CLIP-T and DINO.")

MARS2 = "mars2"
FORMATS = ("table", "json", "csv", "markdown", "latex")
GeneratedOption = Annotated[
    Path | None,
    typer.Option("--generated", help="Folder SUBJECT/STYLE/ of pictures, instead of the database's."),
]
ReferencesOption = Annotated[
    Path | None, typer.Option("--references", help="Folder with subjects/SUBJECT/ and styles/STYLE/, with --generated.")
]
ImagesOption = Annotated[
    str, typer.Option("--images", help="Only these of the database: row=lorarar,style=glowing.", metavar="FILTER")
]


@app.command()
@command
def run(
    critic: Annotated[
        str, typer.Option("--critic", help="pocket, llava-critic-7b, a folder, a hub id, or http(s)://…/v1.")
    ] = "pocket",
    metrics: Annotated[
        str, typer.Option("--metrics", help="Which of mars2,clip-i,clip-t,dino.")
    ] = "mars2,clip-i,clip-t,dino",
    model: Annotated[
        str | None, typer.Option("--model", help="Which of a server's models.", show_default="its first")
    ] = None,
    prompts: Annotated[str, typer.Option("--prompts", help="paper, code, or a TOML file.")] = "paper",
    image_mode: Annotated[
        str | None, typer.Option("--image-mode", help="anyres or pad.", show_default="the critic's own")
    ] = None,
    images: ImagesOption = "",
    generated: GeneratedOption = None,
    references: ReferencesOption = None,
    clip: Annotated[str, typer.Option("--clip", help="CLIP backbone: pocket, a folder or a hub id.")] = "pocket",
    dino: Annotated[str, typer.Option("--dino", help="DINO backbone: pocket, a folder or a hub id.")] = "pocket",
    batch: Annotated[int, typer.Option("--batch", help="Questions at a time, on this machine.", min=1)] = 32,
    concurrency: Annotated[int, typer.Option("--concurrency", help="Questions in flight, to a server.", min=1)] = 8,
    quantisation: Annotated[
        str | None, typer.Option("--quantisation", help="8bit or 4bit (needs bitsandbytes).", show_default="none")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="cpu, cuda, …", show_default="a GPU if there is one")
    ] = None,
    dtype: Annotated[
        str | None, typer.Option("--dtype", help="float32, bfloat16 or float16.", show_default="by device")
    ] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score every picture that is not scored yet; killed and started again, it goes on where it was."""
    from judge.prompts import find_prompts
    from lorarar.store import Store

    wanted, asked = parse_metrics(metrics), find_prompts(prompts)
    with Store(db) as store:
        targets = find_targets(store, images, generated, references)
        said: dict[str, Any] = {"pictures": len(targets)}
        if MARS2 in wanted:
            from judge.critics import find_critic
            from judge.runner import judge
            from judge.verdicts import VerdictStore

            found = find_critic(
                critic,
                image_mode=cast("ImageMode | None", image_mode),
                model=model,
                device=device,
                dtype=cast("DType | None", dtype),
                batch=batch,
                concurrency=concurrency,
                quantisation=cast("Quantisation | None", quantisation),
            )
            with found:
                outcome = judge(targets, found, asked, VerdictStore(store))
            said["mars2"] = vars(outcome)
            _describe(outcome)
        for name in (metric for metric in wanted if metric != MARS2):
            said[name] = vars(_score(name, dino if name == "dino" else clip, targets, store, device))
    if as_json:
        print_json(said)


@app.command()
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
    from judge.answers import Answers
    from judge.report.report import choose, make_report
    from judge.scores import ScoreStore
    from judge.verdicts import VerdictStore
    from lorarar.store import Store

    grouping = cast("By", one_of("--by", by, ("method", "subject", "style", "cell")))
    one_of("--format", form, FORMATS)
    with Store(db) as store:
        answers = Answers(find_targets(store, images, generated, references), VerdictStore(store))
        chosen = choose(answers, critic, prompts, judge)
        made = make_report(answers, chosen, ScoreStore(store), grouping, against)
    _print_report(made, form)
    if gallery is not None:
        from judge.report.gallery import write_gallery

        talk().print(clean(f"gallery: {write_gallery(made, gallery)}"), markup=False)


def one_of(option: str, value: str, accepted: tuple[str, ...]) -> str:
    """The value, if it is accepted.

    Raises:
        JudgeError: it is not; the message says what is.
    """
    from judge.errors import JudgeError

    if value not in accepted:
        raise JudgeError(f"{option} is {value!r}; accepted are {', '.join(accepted)}")
    return value


def _print_report(made: Report, form: str) -> None:
    from judge.report.table import as_csv, as_latex, as_markdown
    from judge.report.tables import about, csv_rows, records, tables

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
    """A table on stdout, with its notes below."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as Drawn
    from rich.text import Text

    console = Console(highlight=False)
    drawn = Drawn(title=Text(clean(table.title)), box=box.SIMPLE_HEAD, title_justify="left")
    for column in table.head:
        drawn.add_column(Text(clean(column)))
    for row in table.rows:
        drawn.add_row(*(Text(clean(cell)) for cell in row))
    console.print(drawn)
    for note in table.notes:
        console.print(Text(clean(note)), style="dim")


def parse_metrics(text: str) -> list[str]:
    """``"mars2,dino"`` as names, each once.

    Raises:
        MetricError: an unknown name, or none.
    """
    from judge.metrics.metric import METRICS, MetricError

    known = (MARS2, *METRICS)
    given = [part.strip() for part in text.split(",") if part.strip()]
    if not given or set(given) - set(known):
        raise MetricError(f"--metrics is {text!r}; accepted is a list of {', '.join(known)}")
    return [name for name in known if name in given]


def find_targets(store: Store, images: str, generated: Path | None, references: Path | None) -> list[Target]:
    """What is to be judged: plain folders where they are named, else what grids made.

    Raises:
        TargetError: nothing is there, or one folder is named without the other.
    """
    from judge.targets import TargetError, from_folders, from_store

    if (generated is None) != (references is None):
        raise TargetError("--generated and --references go together")
    if generated is None or references is None:
        return from_store(store, images)
    if images:
        raise TargetError("--images filters the database's pictures, not those of --generated")
    return from_folders(generated, references)


def _score(name: str, backbone: str, targets: list[Target], store: Store, device: str | None) -> Scored:
    from judge.metrics.features import Features
    from judge.metrics.known import find_backbone
    from judge.metrics.metric import METRICS
    from judge.scores import ScoreStore

    metric = METRICS[name]
    features = Features(find_backbone(metric.kind, backbone, device))
    scored = ScoreStore(store).score(metric, targets, features)
    talk().print(
        f"{name}: {scored.pictures} pictures, {scored.found} were known, {scored.measured} measured by "
        f"{clean(features.backbone.identity.name)}"
    )
    for fault in scored.faults[:5]:
        talk().print(clean(f"  {fault}"), style="yellow", markup=False)
    return scored


def _describe(outcome: Outcome) -> None:
    talk().print(
        f"MARS2: {outcome.cases} verdicts, {outcome.found} were known, {outcome.asked} asked, "
        f"{outcome.failed} failed, {outcome.unparsed} unparsed"
    )
    for reason, count in sorted(outcome.reasons.items(), key=lambda item: -item[1])[:5]:
        talk().print(clean(f"  {count} x {reason}"), style="yellow", markup=False)
