"""Stage ``grid``: the test grid by every method, measured by the probe and against the truth."""

from __future__ import annotations

from lorarar.bench.plan import MethodRow, Plan, read_plan
from lorarar.bench.run import run_plan
from lorarar.pictures.images import read_image, write_png
from lorarar.pocket.build_context import BuildContext
from lorarar.pocket.concepts import STYLES_BY_SLUG, SUBJECTS_BY_SLUG
from lorarar.pocket.grid_measures import GridPicture, compare, measure
from lorarar.pocket.grid_pages import readme_sheet, results_table, whole_sheet
from lorarar.pocket.ground_truth import true_picture
from lorarar.store import Store
from lorarar.store.paths import PathResolver
from lorarar.store.queries import cell_pictures

AGAINST = "direct"  # the row that others are compared with, pair by pair


def run_grid(context: BuildContext) -> None:
    """Compute what is missing of the grid, measure it, and write page and sheets into the build folder."""
    plan = read_plan("pocket")
    with Store(context.folder / "grid.db") as store:
        run_plan(plan, store, context.folder / "grid")
        pictures = pictures_of(store, plan)
    true = true_pictures(pictures)
    rows = {row.row_name: [picture for picture in pictures if picture.row == row.row_name] for row in plan.methods}
    figures = {name: measure(row) for name, row in ({"truth": true} | rows).items()}
    for name, row in rows.items():
        figures[name]["against direct"] = compare(row, rows[AGAINST])
    titles = {"truth": "true pictures"} | {row.row_name: _title(row) for row in plan.methods}
    write_png(whole_sheet(true, rows, titles), context.folder / "results.png")
    write_png(readme_sheet(true, rows, titles), context.folder / "sheet.png")
    (context.folder / "results.md").write_text(results_table(figures, titles))


def _title(row: MethodRow) -> str:
    """A row's method as people write it, with the row's name where it has one of its own."""
    return f"{row.info.title} ({row.name})" if row.name else row.info.title


def pictures_of(store: Store, plan: Plan) -> list[GridPicture]:
    """The pictures of a plan's cells, in order."""
    paths = PathResolver(store.path)
    with store.reading() as database:
        rows = cell_pictures(database, plan.collection)
    return [
        GridPicture(
            row=row.row,
            subject=SUBJECTS_BY_SLUG[row.content],
            style=STYLES_BY_SLUG[row.style],
            seed=row.seed,
            image=read_image(paths.find(row.path)),
        )
        for row in rows
    ]


def true_pictures(pictures: list[GridPicture]) -> list[GridPicture]:
    """The true picture of every pair of the grid, in order."""
    cells = dict.fromkeys((picture.subject, picture.style) for picture in pictures)
    return [
        GridPicture(row="truth", subject=subject, style=style, seed=0, image=true_picture(subject, style))
        for subject, style in cells
    ]
