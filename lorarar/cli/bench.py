"""``lorarar bench``: grids of methods, subjects, styles and seeds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.bench.shipped_plans import SHIPPED, plan_file, shipped_plans
from lorarar.cli.console import DbOption, DeviceOption, JsonOption, command, print_json, print_path, print_text
from lorarar.cli.drawing_flags import OFFLOAD, DtypeOption
from lorarar.cli.help_pages import DRAWING, help_page
from lorarar.cli.place_flags import PrecisionOption
from lorarar.cli.shard_flag import ShardOption, parse_shard, tell_gathering
from lorarar.cli.table_layout import print_table
from lorarar.cli.worker_flags import CpusOption, WorkersOption
from lorarar.generation.offload import Offload
from lorarar.util.errors import PlanError
from lorarar.util.formatting import count
from lorarar.util.messages import message
from lorarar.util.outputs import check_output_folder
from lorarar.util.suggestion import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lorarar.bench.outcome import GridOutcome
    from lorarar.bench.truth_loss import TruthLoss

PLANS = ", ".join(shipped_plans())

app = typer.Typer(no_args_is_help=True, rich_help_panel=DRAWING, help="Grids: methods x subjects x styles x seeds.")


@app.command()
@help_page(
    "lorarar bench run quick",
    "lorarar bench run mine.toml -o out/mine --device cuda",
    "lorarar bench run mine.toml --shard 2/8",
    "lorarar bench run mine.toml --workers auto",
)
@command
def run(
    plan: Annotated[str, typer.Argument(help=f"TOML file, or a shipped plan: {PLANS}.", metavar="PLAN.toml")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder of LoRAs and pictures.", show_default="out/bench/TITLE")
    ] = None,
    device: DeviceOption = None,
    dtype: DtypeOption = None,
    offload: Annotated[Offload | None, OFFLOAD] = None,
    precision: PrecisionOption = None,
    shard: ShardOption = None,
    workers: WorkersOption = None,
    cpus_per_worker: CpusOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compute what is missing of a grid; killed and started again, it goes on where it was."""
    plan_file(plan)  # before what takes seconds to load
    share = parse_shard(shard)
    from lorarar.bench.plan import read_plan
    from lorarar.bench.run import run_plan
    from lorarar.store import Store, default_path
    from lorarar.workers.hiring import hired

    grid = read_plan(plan).drawn_at(device, dtype, offload).trained_in(precision)
    folder = check_output_folder(out or Path("out/bench") / grid.title)
    database = db or default_path()
    with (
        hired(workers, cpus_per_worker) as crew,
        Store(share.database(database) if share else database) as store,
    ):
        outcome = run_plan(grid, store, folder, share, crew, before=database if share else None)
    for failure in outcome.failures:
        message(failure, "red")
    if as_json:
        print_json(outcome.record() | {"out": str(folder) if folder.exists() else None})
    else:
        _describe(outcome)
        tell_gathering(share, database)
        if folder.exists():  # where others have drawn all pictures, there is none
            print_path(folder)
    if outcome.failures:
        raise PlanError(
            f"{count(len(outcome.failures), 'pair')} failed, as said above; run it again to retry them alone"
        )


@app.command()
@help_page("lorarar bench loss quick")
@command
def loss(
    plan: Annotated[str, typer.Argument(help=f"TOML file, or a shipped plan: {PLANS}.", metavar="PLAN.toml")],
    device: DeviceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how well a plan's merges know their cells' true pictures, without drawing; for bases that have some."""
    from dataclasses import asdict

    plan_file(plan)  # before what takes seconds to load
    from lorarar.bench.plan import read_plan
    from lorarar.bench.truth_loss import truth_losses

    grid = read_plan(plan)
    losses = truth_losses(grid, grid.find_base(), device)
    if as_json:
        print_json({"plan": grid.title, "rows": {name: asdict(row) for name, row in losses.items()}})
    else:
        _print_losses(losses)


@app.command()
@help_page("lorarar bench plan quick > mine.toml")
@command
def plan(
    name: Annotated[str | None, typer.Argument(help=f"A shipped plan: {PLANS}.")] = None,
) -> None:
    """Print a shipped plan, to be changed and run; without a name, list them."""
    if name is None:
        print_text("\n".join(shipped_plans()))
    elif name in shipped_plans():
        print_text((SHIPPED / f"{name}.toml").read_text(), end="")
    else:
        near = did_you_mean(name, shipped_plans())
        raise PlanError(f"no shipped plan {name!r}; there are {', '.join(shipped_plans())}{near}")


def _print_losses(losses: Mapping[str, TruthLoss]) -> None:
    from lorarar.util.formatting import interval, number
    from lorarar.util.tables import Table

    head = ["row", "low noise", "high noise", "all", "all, against the first row", "p of that"]
    rows = []
    for name, row in losses.items():
        figures = (interval(value, 3, always=True) for value in (row.low, row.high, row.whole))
        against = row.against_first
        chance = number(against.p if against else None, 3)
        rows.append([name, *figures, interval(against, 3, signed=True, always=True), chance])
    print_table(Table("Truth loss", head, rows))


def _describe(outcome: GridOutcome) -> None:
    seconds = ", ".join(f"{what} {value:.0f} s" for what, value in outcome.seconds.items())
    shared = f"{outcome.shared} shown again or shared, " if outcome.shared else ""
    message(
        f"{count(outcome.cells, 'cell')}: {outcome.existing} were there, {shared}{outcome.generated} drawn, "
        f"{count(outcome.trained, 'pair')} trained ({seconds})"
    )
