"""Which contents and styles of two folders of LoRAs are meant: some names, or a split of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lorarar.lora.folders import find_loras
from lorarar.lora.names import distinct_names
from lorarar.pictures.concept_table import (
    SIDES,
    Side,
    Split,
    TableConcept,
    names_of,
    read_table,
    select,
    shipped_tables,
    tables_in_words,
)
from lorarar.util.errors import UsageError
from lorarar.util.formatting import count
from lorarar.util.suggestion import as_there, did_you_mean

Names = Mapping[Side, Sequence[str]]


def is_table(names: str) -> bool:
    """Whether ``--names`` says a table, a TOML file or a shipped one, and not the names themselves."""
    return names.lower().endswith(".toml") or names in shipped_tables()


def choose(
    folders: Mapping[Side, Path], names: str | None = None, split: Split | None = None, skip_missing: bool = False
) -> Names:
    """The names of the LoRAs that are meant, by side; nothing of a side of which all are.

    Args:
        folders: of the LoRAs.
        names: ``dog-1,glowing`` for LoRAs of either folder, or a table, whose rows say their side; None: all.
        split: of the table; by default the one to train on.
        skip_missing: leave out rows of the table of which there is no LoRA.

    Raises:
        UsageError: a name is unknown, a side has none, or a split is said without a table.
        TrainingError: the table is unsound.
    """
    if (split or skip_missing) and (names is None or not is_table(names)):
        flag = "--split" if split else "--skip-missing"
        raise UsageError(f"{flag} is of a table, which --names does not say; {_ACCEPTED}")
    if names is None:
        return {}
    there = {side: distinct_names(find_loras(folder)) for side, folder in folders.items()}
    if not is_table(names):
        chosen = _listed(names, there)
    else:
        rows = select(read_table(names), split=split or "train")
        chosen = _of_table(rows, f"the split {split or 'train'} of {names}", folders, there, skip_missing)
    for side, folder in folders.items():
        if not chosen[side]:
            raise UsageError(f"--names {names} means none of {side}; {folder} has {', '.join(there[side]) or 'none'}")
    return chosen


_ACCEPTED = f"a table is a TOML file, or a shipped one: {tables_in_words()}"


def _listed(names: str, there: Names) -> Names:
    """The LoRAs of either folder that have one of these names.

    Raises:
        UsageError: neither folder has one of them.
    """
    everyone = [name for side in SIDES for name in there[side]]
    listed = as_there(names_of(names), everyone)
    if unknown := [name for name in listed if not any(name in there[side] for side in SIDES)]:
        everything = "; ".join(f"{side} are {', '.join(there[side]) or 'none'}" for side in SIDES)
        near = did_you_mean(unknown[0], everyone)
        raise UsageError(f"--names: there is no LoRA {', '.join(unknown)}; {everything}; {_ACCEPTED}{near}")
    return {side: [name for name in there[side] if name in listed] for side in SIDES}


def _of_table(
    rows: Sequence[TableConcept], what: str, folders: Mapping[Side, Path], there: Names, skip_missing: bool
) -> Names:
    """The LoRAs of a table's rows, each in the folder of its side.

    Raises:
        UsageError: there is none of some, and they are not to be left out.
    """
    absent = [row for row in rows if row.name not in there[row.side]]
    if absent and not skip_missing:
        first = absent[0]
        raise UsageError(
            f"of {what} {count(len(absent), 'LoRA')} cannot be found ({', '.join(row.name for row in absent)}); "
            f"{first.name} is looked for in {folders[first.side]}; --skip-missing leaves them out"
        )
    named = {side: {row.name for row in rows if row.side == side} for side in SIDES}
    return {side: [name for name in there[side] if name in named[side]] for side in SIDES}
