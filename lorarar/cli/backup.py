"""``lorarar backup``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import DbOption, command, open_existing_store
from lorarar.util.outputs import check_output


@command
def backup(
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the copy goes.")],
    db: DbOption = None,
) -> None:
    """Copy the database as it is at this moment, also while others write to it."""
    with open_existing_store(db) as store:
        print(store.backup(check_output(out, inputs=[store.path])))
