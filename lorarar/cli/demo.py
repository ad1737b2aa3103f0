"""``lorarar demo``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.cli.console import DbOption, JsonOption, SeedOption, command, print_json, show_images, stderr_console

if TYPE_CHECKING:
    from rich.table import Table

    from lorarar.pocket.demo import Demo


@command
def demo(
    subject: Annotated[str, typer.Option("--subject", help="A subject of Pocket.")] = "teapot",
    style: Annotated[str, typer.Option("--style", help="A style of Pocket.")] = "flat cartoon illustration #2",
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for LoRAs and pictures.")] = Path("out/demo"),
    n: Annotated[int, typer.Option("-n", help="Pictures for each method.", min=1, max=10)] = 4,
    seed: SeedOption = 0,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Merge one of Pocket's test pairs by several methods and show the pictures beside the truth."""
    from lorarar.pocket.concepts import style_named, subject_named
    from lorarar.pocket.demo import METHODS, STEPS, run_demo
    from lorarar.store import Store
    from lorarar.util.progress import Ticker

    wanted, look = subject_named(subject), style_named(style)
    batches = -(-n // 4)
    with Store(db) as store, Ticker("demo", len(METHODS) * batches * STEPS) as ticker:
        made = run_demo(wanted, look, out, store, n=n, seed=seed, on_step=ticker.advance)
    show_images([made.sheet()], width=140)
    from lorarar.pictures.images import read_image

    show_images([read_image(out / "coefficients.png")], width=70)
    if as_json:
        print_json(
            {"seconds": made.seconds, "sheet": str(out / "demo.png"), "coefficients": str(out / "coefficients.png")}
        )
        return
    stderr_console().print(_table(made))
    print(out / "demo.png")
    print(out / "coefficients.png")


def _table(made: Demo) -> Table:
    from rich.table import Table

    table = Table("method", "read, ms", "merge, ms", "write, ms", "draw a picture, s", title="Seconds")
    for name, done in made.merges.items():
        steps = [f"{done.seconds[step] * 1000:.1f}" for step in ("read", "compute", "write")]
        each = made.seconds[name]["draw"] / len(made.pictures[name])
        table.add_row(done.method.title, *steps, f"{each:.2f}")
    return table
