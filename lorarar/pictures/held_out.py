"""Concepts that a shipped table keeps to measure on, among those that are trained on; they are told by their names."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from lorarar.pictures.concept_table import Side, Split, read_table, shipped_tables
from lorarar.util.formatting import listed

_KEPT: tuple[Split, ...] = ("validation", "test")


def held_out_among(names: Mapping[Side, Collection[str]]) -> list[str]:
    """A line for each split of a shipped table, beside the one to train on, that some of these names are of."""
    lines = []
    for table in shipped_tables():
        rows = [row for row in read_table(table) if row.name in names.get(row.side, ())]
        for split in _KEPT:
            if kept := [row.name for row in rows if row.split == split]:
                lines.append(
                    f"trained on are also {listed(kept)}, by their names of the {split} split of {table}: what is "
                    "measured on them says nothing of LoRAs that the network has not seen"
                )
    return lines
