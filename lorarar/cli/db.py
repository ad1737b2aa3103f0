"""``lorarar db``: what is in a database, forgetting a part of it, and whether it is sound."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lorarar.cli.confirmation import confirm
from lorarar.cli.console import DbOption, JsonOption, command, one_of, print_json, print_text
from lorarar.cli.help_pages import LOOKING, help_page
from lorarar.cli.table_layout import print_table
from lorarar.store import default_path
from lorarar.store.command_line import command_line
from lorarar.store.opening import open_existing_store
from lorarar.util.errors import StoreError
from lorarar.util.formatting import byte_size, count
from lorarar.util.messages import message
from lorarar.util.suggestion import did_you_mean

if TYPE_CHECKING:
    from lorarar.store.contents import Contents
    from lorarar.store.forgetting import Forgotten
    from lorarar.store.queries import Collection
    from lorarar.store.store import Store

KINDS = ("plan", "demo", "blend", "import", "single")
WORTH_SHRINKING = 64 * 1024  # bytes

# what runs without a command is the first one
app = typer.Typer(
    invoke_without_command=True, rich_help_panel=LOOKING, help="What is in the database; forget a part of it; check it."
)


@app.command("list")
@help_page("lorarar db")
@command
def list_contents(db: DbOption = None, as_json: JsonOption = False) -> None:
    """Say what is in the database, collection by collection, and what takes how much space."""
    from lorarar.store.contents import read_contents

    path = db or default_path()
    contents = read_contents(path)
    if as_json:
        print_json(_record(path, contents))
        return
    _print_contents(path, contents)


@app.command()
@help_page("lorarar db forget plan quick")
@command
def forget(
    kind: Annotated[str, typer.Argument(help=f"Of collections: {', '.join(KINDS)}.", metavar="KIND")],
    name: Annotated[
        str | None,
        typer.Argument(help="Its name, as the list has it; all demos or blends without one; single has none."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget a collection with all that belongs to it alone; files on disk stay."""
    from lorarar.store.forgetting import forget as forget_collections
    from lorarar.store.forgetting import preview

    one_of("KIND", kind, KINDS, StoreError)
    with open_existing_store(db) as store:
        collections = _chosen(store, kind, name)
        _say(preview(store, collections), collections)
        confirm("Forget it?", "nothing was forgotten", StoreError, yes=yes)
        gone = forget_collections(store, collections)
        _shrink(store)
    if as_json:
        print_json({"forgotten": dict(gone.rows), "pictures_kept": gone.kept, "files_left": list(gone.files)})
    message(f"forgotten: {count(gone.rows['collections'], 'collection')}, {count(gone.rows['images'], 'picture')}")


@app.command()
@help_page("lorarar db check")
@command
def check(db: DbOption = None, as_json: JsonOption = False) -> None:
    """Say what is wrong with the database and its files; exit code 1 where anything is. Nothing is repaired."""
    from lorarar.store.soundness import count_files, find_faults
    from lorarar.util.progress import Ticker

    path = db or default_path()
    faults = []
    with Ticker("files", count_files(path)) as ticker:
        for fault in find_faults(path, ticker.advance):
            faults.append(fault)
            if not as_json:
                print_text(f"{fault.kind}: {fault.words}")
    if as_json:
        print_json({"path": str(path), "faults": [vars(fault) for fault in faults]})
    if faults:
        raise StoreError(f"{path}: {count(len(faults), 'fault')}, each said above")
    message(f"{path} is sound")


def _record(path: Path, contents: Contents) -> dict[str, Any]:
    collections = [
        {
            "kind": of.collection.kind,
            "name": of.collection.name,
            "rows": of.rows,
            "pairs": of.pairs,
            "pictures": of.pictures,
            **of.about,
        }
        for of in contents.collections
    ]
    return {
        "path": str(path),
        "bytes": contents.size,
        "collections": collections,
        "superseded": contents.superseded,
        "totals": dict(contents.totals),
        "parts": dict(contents.parts),
    }


def _print_contents(path: Path, contents: Contents) -> None:
    from lorarar.util.tables import Table

    tables = list(dict.fromkeys(name for of in contents.collections for name, number in of.about.items() if number))
    head = ["collection", "rows", "pairs", "pictures", *(name.replace("_", " ") for name in tables)]
    rows = [
        [of.collection.label, *map(str, (of.rows, of.pairs, of.pictures, *(of.about[name] for name in tables)))]
        for of in contents.collections
    ]
    if rows:
        print_table(Table("", head, rows))
    else:
        print_text("no pictures yet")
    if contents.superseded:
        print_text(
            f"{count(contents.superseded, 'picture')} that no collection shows any more; they go when one is forgotten"
        )
    totals = ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in contents.totals.items())
    print_text(f"in all: {totals}")
    largest = [f"{name.replace('_', ' ')} {byte_size(size)}" for name, size in list(contents.parts.items())[:5]]
    print_text(f"{path}: {byte_size(contents.size)}" + (f"; most of it: {', '.join(largest)}" if largest else ""))


def _chosen(store: Store, kind: str, name: str | None) -> list[Collection]:
    """The collections that were named.

    Raises:
        StoreError: there is none such, or one has to be named.
    """
    from lorarar.store.filters import named
    from lorarar.store.forgetting import collections_of

    there = collections_of(store, kind)
    names = ", ".join(collection.name for collection in there)
    if not there:
        raise StoreError(f"{store.path} has no {kind}; see: {command_line('lorarar db')}")
    if name is None and kind in ("demo", "blend", "single"):
        return there
    if name is None:
        raise StoreError(f"name one: lorarar db forget {kind} NAME; {store.path} has: {names}")
    chosen = named(there, name, store.paths)
    if len(chosen) != 1:
        number = "several" if chosen else "no"
        near = "" if chosen else did_you_mean(name, [collection.name for collection in there])
        raise StoreError(f"{store.path} has {number} {kind} {name[:80]!r}; it has: {names}{near}")
    return chosen


def _say(forgotten: Forgotten, collections: list[Collection]) -> None:
    labels = ", ".join(collection.label for collection in collections)
    rows = ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in forgotten.rows.items() if number)
    message(f"{labels}: what goes is {rows}")
    if forgotten.kept:
        message(f"{count(forgotten.kept, 'picture')} stay: other collections or studies have them")
    if forgotten.files:
        message(f"files stay where they are: {count(len(forgotten.files), 'picture')}{_below(forgotten.files)}")


def _below(files: Sequence[str]) -> str:
    """The folder that files have in common, in words; nothing where they have none."""
    try:
        folder = os.path.commonpath([str(Path(file).parent) for file in files])
    except ValueError:  # some are absolute, others not
        return ""
    return f" below {folder}" if folder else ""


def _shrink(store: Store) -> None:
    from lorarar.store.forgetting import free_bytes, shrink

    if free_bytes(store) < WORTH_SHRINKING:
        return
    try:
        shrink(store)
    except StoreError as error:
        message(f"The file has not become smaller ({error}); its free space is used again.", "yellow")
