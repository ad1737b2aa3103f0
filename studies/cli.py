"""``lorarar study``: gathered by the command line, which is the only part of lorarar that knows the studies."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from lorarar.cli.console import DbOption, JsonOption, SeedOption, clean, command, print_json, talk

if TYPE_CHECKING:
    from rich.table import Table

    from lorarar.store import Store
    from studies.report import Figure, Report
    from studies.session import Session
    from studies.store import Study

app = typer.Typer(no_args_is_help=True, help="Blind studies with people: design, hold, report.")

RaterOption = Annotated[
    str | None, typer.Option("--rater", help="Your code; to go on where you left off.", show_default="a new one")
]
NameArgument = Annotated[str, typer.Argument(help="The study's name.", metavar="NAME")]
POWER_RATERS = (5, 10, 25, 50)


@app.command()
@command
def new(
    name: NameArgument,
    kind: Annotated[str, typer.Option("--kind", help="ab: which of two pictures; absolute: what one picture shows.")],
    methods: Annotated[str, typer.Option("--methods", help="Rows of a grid, separated by commas.", metavar="A,B")],
    scenario: Annotated[
        str, typer.Option("--scenario", help="random: any picture; best: one that MARS2 accepts.")
    ] = "random",
    items: Annotated[
        int | None, typer.Option("--items", help="Items to show.", show_default="one a subject-style pair, 25 at most")
    ] = None,
    seed: SeedOption = 0,
    repeats: Annotated[
        int | None, typer.Option("--repeats", help="Items shown again, sides swapped.", show_default="3")
    ] = None,
    attention: Annotated[int | None, typer.Option("--attention", help="Attention checks.", show_default="1")] = None,
    tie: Annotated[str, typer.Option("--tie", help="Word for neither: Comparable, Similar, …")] = "Comparable",
    critic: Annotated[
        str | None, typer.Option("--critic", help="Whose verdicts best goes by.", show_default="the latest")
    ] = None,
    plan: Annotated[
        str | None, typer.Option("--plan", help="The grid, where several have these methods.", metavar="TITLE")
    ] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw a study from the database, and say what it can find out before anybody votes."""
    from studies.create import Request, new_study
    from studies.statistics.power import power

    request = Request(
        name,
        cast('Literal["ab", "absolute"]', _one_of("--kind", kind, ("ab", "absolute"))),
        tuple(part.strip() for part in methods.split(",") if part.strip()),
        cast('Literal["random", "best"]', _one_of("--scenario", scenario, ("random", "best"))),
        items,
        seed,
        repeats,
        attention,
        tie,
        critic,
        plan,
    )
    with _open(db) as store:
        study = new_study(store, request)
    plain = study.design.count("plain")
    groups = max(1, len(methods_of(study))) if study.kind == "ab" else 1
    powers = [power(max(1, plain // groups), raters) for raters in POWER_RATERS] if study.kind == "ab" else []
    if as_json:
        print_json(facts(study) | {"power": [vars(one) for one in powers]})
    else:
        _describe_new(study, [(one.raters, one.share) for one in powers], plain // groups)
        print(study.name)


@app.command()
@command
def run(
    name: Annotated[str, typer.Argument(help="A study's name, or a packet.", metavar="NAME|PACKET.zip")],
    rater: RaterOption = None,
    votes: Annotated[
        Path | None, typer.Option("--votes", help="With a packet: the file of votes.", show_default="beside the packet")
    ] = None,
    db: DbOption = None,
) -> None:
    """Vote, in the terminal; every vote is on disk before the next pictures show."""
    voting = _voting()
    if name.lower().endswith(".zip"):
        from studies.opening import open_packet, votes_beside

        session = open_packet(name, rater, votes)
        voting(session)
        print(votes or votes_beside(Path(name), session.code))
        return
    from studies.opening import open_study

    with _open(db) as store:
        session = open_study(store, name, rater)
        voting(session)
    talk().print(f"{session.progress.done} of {session.progress.total} answered; to go on: --rater {session.code}")


@app.command()
@command
def export(
    name: NameArgument,
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the packet goes.", metavar="PACKET.zip")],
    db: DbOption = None,
) -> None:
    """Pack a study for raters elsewhere; nothing in it tells a method."""
    from studies.packet import write_packet
    from studies.store import StudyStore

    with _open(db) as store:
        studies = StudyStore(store)
        design = studies.get(name).design
        path = write_packet(design, {digest: studies.picture(digest) for digest in design.pictures}, out)
    print(path)


@app.command("import")
@command
def take_in(
    votes: Annotated[list[Path], typer.Argument(help="Files of votes.", metavar="VOTES.jsonl…")],
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take in votes on packets; importing them again changes nothing."""
    from studies.importing import import_votes

    done = []
    with _open(db) as store:
        for path in votes:
            one = import_votes(store, path)
            done.append({"file": str(path), **vars(one)})
            left_out = f", {one.withdrawn} of deleted raters left out" if one.withdrawn else ""
            talk().print(
                clean(f"{path}: {one.votes} new votes, {one.known} known{left_out}; {', '.join(one.studies)}"),
                markup=False,
            )
    if as_json:
        print_json(done)


@app.command("list")
@command
def list_studies(db: DbOption = None, as_json: JsonOption = False) -> None:
    """Say which studies there are, and how far their raters are."""
    from studies.store import StudyStore

    with _open(db) as store:
        studies = StudyStore(store)
        found = [studies.get(name) for name in studies.names()]
        rows = [facts(study) | {"raters": [vars(rater) for rater in studies.raters(study)]} for study in found]
    if as_json:
        print_json(rows)
        return
    if not rows:
        talk().print("No studies yet; make one with: lorarar study new")
    for row in rows:
        people = [rater for rater in row["raters"] if not rater["simulated"]]
        simulated = len(row["raters"]) - len(people)
        done = sum(rater["votes"] == row["trials"] for rater in people)
        marked = f", simulated raters: {simulated}" if simulated else ""
        print(
            clean(
                f"{row['name']}: {row['kind']}, {row['scenario']}, {', '.join(row['methods'])}; {row['items']} items; "
                f"people: {len(people)}, finished: {done}{marked}"
            )
        )


@app.command("delete-rater")
@command
def delete_rater(
    name: NameArgument,
    code: Annotated[str | None, typer.Argument(help="The rater's code.", metavar="CODE")] = None,
    simulated: Annotated[bool, typer.Option("--simulated", help="All simulated raters instead.")] = False,
    db: DbOption = None,
) -> None:
    """Delete a rater with all their votes; a person's votes cannot be imported again."""
    from studies.errors import StudyError
    from studies.store import StudyStore

    if (code is None) != simulated:
        raise StudyError("name one rater's code, or give --simulated for all simulated ones")
    with _open(db) as store:
        studies = StudyStore(store)
        study = studies.get(name)
        codes = [code] if code is not None else [one.code for one in studies.raters(study) if one.simulated]
        votes = sum(studies.delete_rater(study, one) for one in codes)
    talk().print(f"{len(codes)} raters and {votes} votes deleted")


@app.command()
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
    _one_of("--format", form, ("table", *writers))
    with _open(db) as store:
        made = make(store, name, simulated, attentive)
    if form == "table":
        _print_tables(made)
    else:
        print(clean(writers[form](made)), end="")


@app.command()
@command
def simulate(
    name: NameArgument,
    raters: Annotated[int, typer.Option("--raters", help="How many.", min=1)],
    noise: Annotated[float, typer.Option("--noise", help="Of what they see: 0 follows MARS2 to the letter.", min=0)],
    seed: SeedOption = 0,
    db: DbOption = None,
) -> None:
    """Write votes of simulated raters, marked as such everywhere and never counted as people."""
    from studies.simulate import simulate as write

    with _open(db) as store:
        codes = write(store, name, raters, noise, seed)
    talk().print(
        f"{len(codes)} simulated raters, {codes[0]} to {codes[-1]}; see: lorarar study report {name} --simulated"
    )


def methods_of(study: Study) -> list[tuple[str, ...]]:
    """The groups of methods that a study's items show."""
    from studies.draw import groups_of

    return groups_of(study.kind, study.methods)


def facts(study: Study) -> dict[str, Any]:
    """A study in a few values."""
    design = study.design
    return {
        "name": study.name,
        "digest": design.digest,
        "kind": study.kind,
        "scenario": study.scenario,
        "methods": list(study.methods),
        "seed": study.seed,
        "items": design.count("plain"),
        "attention": design.count("attention"),
        "repeats": design.repeats,
        "trials": len(design.items) + design.repeats,
        "created": study.created,
    }


def _open(db: Path | None) -> Store:
    """The database, which has to be there: a study is drawn from what it holds.

    Raises:
        StoreError: there is none.
    """
    from lorarar.errors import StoreError
    from lorarar.store import Store, default_path

    path = db or default_path()
    if not path.is_file():
        raise StoreError(
            f"{path} does not exist; name the database with --db, or fill one with: lorarar bench run quick"
        )
    return Store(path)


def _one_of(option: str, value: str, accepted: tuple[str, ...]) -> str:
    from studies.errors import StudyError

    if value not in accepted:
        raise StudyError(f"{option} is {value[:40]!r}; accepted are {', '.join(accepted)}")
    return value


def _voting() -> Callable[[Session], None]:
    """The app's voting screens.

    Raises:
        StudyError: the app is not installed.
    """
    from studies.errors import StudyError

    try:
        voting = import_module("tui.voting")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("tui", "textual", "textual_image"):
            raise
        raise StudyError(f"the app with the voting screens is not installed ({error})") from None
    return cast("Callable[[Session], None]", voting.run)


def _describe_new(study: Study, powers: list[tuple[int, float]], items: int) -> None:
    console, known = talk(), facts(study)
    pairs = len({(origin.subject, origin.style) for origin in study.origins if origin.subject})
    console.print(
        clean(
            f"{known['items']} items over {pairs} subject-style pairs, {known['repeats']} of them shown again, "
            f"{known['attention']} attention checks and one item for practice: {known['trials']} trials a rater, "
            f"some {max(1, round(known['trials'] * 8 / 60))} minutes"
        ),
        markup=False,
    )
    if study.judge:
        console.print(clean(f"Accepted by {study.judge['critic']}, asked {study.judge['prompts']}"), markup=False)
    if powers:
        found = ", ".join(f"{share:.0%} with {raters} raters" for raters, share in powers)
        console.print(
            f"A preference of 0.5 logits (1.65 wins for each loss) is found in: {found}; assumed is how much "
            "items and raters usually differ (docs/studies.md). More items help more than more raters."
        )
    else:
        console.print(_said_correlation(items))
    console.print(f"Next: lorarar study run {study.name}, or lorarar study export {study.name} -o {study.name}.zip")


def _said_correlation(items: int) -> str:
    from studies.statistics.power import fisher_interval

    if items < 5:
        return f"With {items} items there is no correlation to speak of; 25 or more are customary."
    low, high = fisher_interval(0.76, items)
    return (
        f"With {items} items, a correlation of 0.76 has an interval of {low:.2f} to {high:.2f}; more items narrow it."
    )


def _print_tables(made: Report) -> None:
    from rich.console import Console

    from studies.rendering import shown
    from studies.report import SIMULATED

    console = Console(highlight=False)
    marked = f", {SIMULATED}" if made.simulated else ""
    for section in dict.fromkeys(figure.section for figure in made.figures):
        title = "study " + made.study if section == "study" else section
        console.print(f"[bold]{clean(title[0].upper() + title[1:])}[/bold]{marked}")
        if section == "study":
            for figure in made.section(section):
                value, interval = shown(figure)
                note = f" ({_noted(figure)})" if _noted(figure) else ""
                span = f", {interval}" if interval else ""
                console.print(clean(f"  {figure.name}: {value}{span}{note}"), markup=False)
            console.print()
        else:
            console.print(_table(made, section))


def _table(made: Report, section: str) -> Table:
    """A section's figures, under a line for each group of them; no column that would stay empty."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from studies.rendering import shown
    from studies.report import SIMULATED

    figures = made.section(section)
    rows = [(f.name, *shown(f), str(f.n or ""), f.note.removeprefix(SIMULATED).removeprefix("; ")) for f in figures]
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


def _noted(figure: Figure) -> str:
    """A figure's note without what the heading says already."""
    from studies.report import SIMULATED

    return figure.note.removeprefix(SIMULATED).removeprefix("; ")
