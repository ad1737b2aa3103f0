"""``lorarar paper``: the paper's tables, figures and questions, each by one command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from judge.paper.errors import PaperError
from judge.paper.page import PAGE, ResultsPage
from judge.paper.request import PAPERS, USUAL, PaperRequest
from judge.paper.table import ITEMS, items_named
from lorarar.cli.console import BaseOption, DbOption, DeviceOption, JsonOption, command, print_json, print_path
from lorarar.cli.help_pages import JUDGING, help_page
from lorarar.cli.table_layout import print_table
from lorarar.families import DEFAULT_BASE
from lorarar.util.cores import cores_of
from lorarar.util.messages import message
from lorarar.util.outputs import check_output_folder
from lorarar.util.tables import Table

if TYPE_CHECKING:
    from judge.paper.item import PaperItem


@help_page(
    "lorarar paper",
    "lorarar paper table-1 figure-5 --quick",
    panel=JUDGING,
)
@command
def paper(
    items: Annotated[
        list[str] | None, typer.Argument(help="Items by name, or all; without any, they are listed.", metavar="ITEM")
    ] = None,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder of results.md, its figures and results.json.")
    ] = Path("paper"),
    base: BaseOption = DEFAULT_BASE,
    contents: Annotated[
        Path | None,
        typer.Option("--contents", help="Folder of content LoRAs with their pictures.", show_default="the base's own"),
    ] = None,
    styles: Annotated[
        Path | None,
        typer.Option("--styles", help="Folder of style LoRAs with their pictures.", show_default="the base's own"),
    ] = None,
    hypernet: Annotated[
        Path | None, typer.Option("--hypernet", help="Hypernetwork, for another base.", show_default="the base's own")
    ] = None,
    seeds: Annotated[
        int, typer.Option("-n", "--seeds", help=f"Pictures of each pair; the paper's are {PAPERS}.", min=1, max=100)
    ] = USUAL,
    quick: Annotated[
        bool, typer.Option("--quick", help="Two subjects, two styles, one picture of four steps: a smoke test.")
    ] = False,
    train: Annotated[
        bool, typer.Option("--train", help="Train the networks that items need, instead of taking shipped ones.")
    ] = False,
    device: DeviceOption = None,
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes",
            help="That draw and train for pairs side by side.",
            min=1,
            max=64,
            show_default="of Pocket on a CPU as many as cores, else 1",
        ),
    ] = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make tables, figures and answers of the paper, each with what it says; started again, it goes on.

    Without an ITEM they are listed: what each is, what it needs, how long it takes and whether it is done.
    """
    page = ResultsPage(check_output_folder(out))
    request = PaperRequest(out, base, contents, styles, hypernet, db, seeds, quick, train, device)
    if not items:
        _list(page, as_json)
        return
    chosen = items_named(items)
    _check(chosen, request)
    page.records()  # what is no page of results is not written over
    from judge.paper.run import PaperRun

    run = PaperRun(replace(request, processes=processes or _usual_processes(request)))
    run.run(chosen)
    if as_json:
        records = page.records()
        print_json({item.name: records[item.name] for item in chosen if item.name not in run.failures})
    elif len(run.failures) < len(chosen):
        print_path(out / PAGE)
    if run.failures:
        names = ", ".join(run.failures)
        raise PaperError(f"{names} could not be made, as said above; what was finished is kept")


def _usual_processes(request: PaperRequest) -> int:
    """As many as there are cores where a small base is drawn on them; a large one takes the memory of all."""
    import torch

    on_cpu = request.device == "cpu" or (request.device is None and not torch.cuda.is_available())
    return cores_of() if on_cpu and request.base == DEFAULT_BASE else 1


def _check(items: list[PaperItem], request: PaperRequest) -> None:
    """Refuse what cannot be done, before any work.

    Raises:
        PaperError: an item is of Pocket's own concepts alone, or of its own network.
        ChartError: matplotlib is not installed.
    """
    from lorarar.pictures.dot_chart import check_charts

    if not request.is_pocket:
        alone = [item.name for item in items if not item.any_base]
        if alone:
            others = ", ".join(name for name, item in ITEMS.items() if item.any_base)
            raise PaperError(f"{alone[0]} is of Pocket's own concepts; for any base there are {others}")
    elif request.hypernet is not None:
        alone = [item.name for item in items if not item.any_network]
        if alone:
            others = ", ".join(name for name, item in ITEMS.items() if item.any_network)
            raise PaperError(
                f"{alone[0]} is of the network that is shipped with {DEFAULT_BASE}; there --hypernet is for {others}, "
                "and for any other --base"
            )
    check_charts()


def _list(page: ResultsPage, as_json: bool) -> None:
    records = page.records()
    if as_json:
        print_json([_record(item, records.get(item.name)) for item in ITEMS.values()])
        return
    rows = [
        [item.name, item.of, item.title, item.needs, f"{item.minutes:.0f} min", _done(records.get(item.name))]
        for item in ITEMS.values()
    ]
    print_table(Table("Items of the paper", ["item", "of the paper", "what", "needs", "takes alone", "done"], rows))
    message(
        f"Times are of two cores and {USUAL} pictures of each pair, with nothing drawn yet; items share grids. "
        "Make some: lorarar paper ITEM …, or all"
    )


def _record(item: PaperItem, record: dict[str, Any] | None) -> dict[str, Any]:
    """An item as JSON has it."""
    return {
        "item": item.name,
        "of": item.of,
        "title": item.title,
        "needs": item.needs,
        "minutes": item.minutes,
        "any_base": item.any_base,
        "done": _made(record),
    }


def _made(record: dict[str, Any] | None) -> dict[str, Any] | None:
    """What an item's section was made with; None without one, or of one that only says what it lacks."""
    shown = record and any(record["section"][part] for part in ("tables", "figures", "says"))
    return record["made"] if record and shown else None


def _done(record: dict[str, Any] | None) -> str:
    made = _made(record)
    if made is None:
        return ""
    size = "smoke test" if made["quick"] else f"{made['seeds']} seeds"
    return f"{made['day']}, {made['base']}, {size}"
