"""``lorarar backup``"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lorarar.cli.console import DbOption, command


@command
def backup(
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the copy goes.")],
    db: DbOption = None,
) -> None:
    """Copy the database as it is at this moment, also while others write to it."""
    from lorarar.store import Store, default_path

    path = db or default_path()
    if not path.is_file():
        from lorarar.util.errors import StoreError

        raise StoreError(f"{path} does not exist; name the database with --db")
    with Store(path) as store:
        print(store.backup(out))
