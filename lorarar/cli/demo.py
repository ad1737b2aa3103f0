"""``lorarar demo``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.cli.console import (
    DbOption,
    JsonOption,
    SeedOption,
    command,
    prepare_images,
    print_json,
    print_path,
    seeds_from,
    show_images,
)
from lorarar.cli.help_pages import DRAWING, help_page
from lorarar.util.messages import stderr_console
from lorarar.util.outputs import check_output_folder

if TYPE_CHECKING:
    from rich.table import Table

    from lorarar.pocket.demo import Demo


@help_page(
    "lorarar demo",
    "lorarar demo --subject cat-2 --style watercolor-painting-3",
    panel=DRAWING,
)
@command
def demo(
    subject: Annotated[str, typer.Option("--subject", help="A subject of Pocket.")] = "dog #8",
    style: Annotated[str, typer.Option("--style", help="A style of Pocket.")] = "oil painting #2",
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for LoRAs and pictures.")] = Path("out/demo"),
    n: Annotated[int, typer.Option("-n", help="Pictures for each method.", min=1, max=10)] = 4,
    seed: SeedOption = 0,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Merge one of Pocket's test pairs by several methods and show the pictures beside the truth."""
    seeds = seeds_from(seed, n)
    check_output_folder(out)
    prepare_images()
    from lorarar.pocket.concepts import style_named, subject_named

    concepts = subject_named(subject), style_named(style)
    from lorarar.pictures.images import read_image
    from lorarar.pocket.demo import DemoPair, run_demo, steps_of_demo
    from lorarar.store import Store
    from lorarar.util.progress import Ticker

    pair = DemoPair(*concepts)
    with Store(db) as store, Ticker("demo", steps_of_demo(n)) as ticker:
        result = run_demo(pair, out, store, seeds=seeds, on_step=ticker.advance)
    sheet, coefficients = out / "demo.png", out / "coefficients.png"
    show_images([read_image(sheet)], width=140)
    show_images([read_image(coefficients)], width=70)
    if as_json:
        print_json({"seconds": result.seconds, "sheet": str(sheet), "coefficients": str(coefficients)})
        return
    stderr_console().print(_seconds_table(result))
    print_path(sheet)
    print_path(coefficients)


def _seconds_table(demo: Demo) -> Table:
    from rich.table import Table

    table = Table("method", "read, ms", "merge, ms", "write, ms", "draw a picture, s", title="Seconds")
    for row in demo.rows.values():
        milliseconds = [f"{row.merge.seconds[step] * 1000:.1f}" for step in ("read", "compute", "write")]
        table.add_row(row.merge.method.title, *milliseconds, f"{row.draw_seconds / len(row.pictures):.2f}")
    return table
