"""``lorarar backup``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import DbOption, command, print_path
from lorarar.cli.help_pages import LOOKING, help_page
from lorarar.util.outputs import check_output


@help_page("lorarar backup -o backup.db", panel=LOOKING)
@command
def backup(
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the copy goes.")],
    db: DbOption = None,
) -> None:
    """Copy the database as it is at this moment, also while others write to it."""
    from lorarar.store import default_path
    from lorarar.store.backup import write_backup

    database = db or default_path()
    print_path(write_backup(database, check_output(out, inputs=[database])))
