"""``lorarar gather``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lorarar.cli.console import JsonOption, command, one_of, print_json, print_path
from lorarar.cli.help_pages import LOOKING, help_page
from lorarar.util.errors import StoreError
from lorarar.util.formatting import count, listed
from lorarar.util.messages import message
from lorarar.util.outputs import check_output

if TYPE_CHECKING:
    from lorarar.store.union.gathering import Gathering


@help_page(
    "lorarar gather lorarar.db.1-of-2 lorarar.db.2-of-2 -o lorarar.db",
    "lorarar gather one/lorarar.db two/lorarar.db -o both.db --pictures copy",
    panel=LOOKING,
)
@command
def gather(
    databases: Annotated[list[Path], typer.Argument(help="Databases of shards, or others.", metavar="DB…")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The database that has it all; new, or added to.")],
    pictures: Annotated[
        str, typer.Option("--pictures", help="reference: they stay where they are; copy: beside the database, too.")
    ] = "reference",
    as_json: JsonOption = False,
) -> None:
    """Unite databases: pictures, merges, verdicts and scores, each once. What is gathered already is known again."""
    from lorarar.store.union.gathering import gather as gather_databases
    from lorarar.store.union.gathering import missing_shards
    from lorarar.store.union.pictures import PICTURE_MODES

    mode = next(mode for mode in PICTURE_MODES if mode == one_of("--pictures", pictures, PICTURE_MODES, StoreError))
    if lacking := missing_shards(databases):
        message(f"of the same jobs, and not among these: {listed([str(path) for path in lacking])}", "yellow")
    gathering = gather_databases(databases, check_output(out), mode)
    _describe(gathering)
    if as_json:
        print_json({"database": str(out)} | gathering.record())
    else:
        print_path(out)


def _describe(gathering: Gathering) -> None:
    for table, new in gathering.new.items():
        same = gathering.same[table]
        if new or same:
            message(f"{table}: {count(new, 'row')} new, {same} known")
    if gathering.copied:
        message(f"{count(gathering.copied, 'picture')} copied")
    if gathering.missing:
        message(
            f"the files of {count(gathering.missing, 'picture')} are not to be found from here, the first as "
            f"{gathering.first_missing}: bring them beside the database, or gather with --pictures copy where they are",
            "yellow",
        )
