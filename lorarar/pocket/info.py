"""The report of ``lorarar pocket info``: the parts that are shipped, and how they were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lorarar.pocket import shipped
from lorarar.pocket.art import ARTISTS
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.concepts import STYLES, SUBJECTS, Style, Subject

_PARTS = ("base", "contents", "styles", "designs", "hypernet.safetensors", "probe.safetensors")


def shipped_facts(judges: Path, judge_stages: Mapping[str, Any]) -> dict[str, Any]:
    """Everything there is to know of what is shipped.

    Args:
        judges: the folder of the judges' weights, which lie apart from the others.
        judge_stages: how the judges were made, stage by stage.

    Raises:
        PocketError: nothing is shipped yet.
    """
    sizes = {part: _megabytes(shipped.WEIGHTS / part) for part in _PARTS} | {"judges": _megabytes(judges)}
    return {
        "megabytes": sizes | {"": round(sum(sizes.values()), 2)},
        "art": [asdict(artist) for artist in ARTISTS],
        "classes": list(CLASS_NAMES),
        "subjects": _names_by_split(SUBJECTS),
        "styles": _names_by_split(STYLES),
        "stages": {**shipped.stages(), **judge_stages},
    }


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print the facts as tables on stdout."""
    console = Console(highlight=False)
    sizes = facts["megabytes"]
    console.print(f"[bold]Pocket[/bold], {sizes['']} MB: " + ", ".join(f"{p} {sizes[p]} MB" for p in sizes if p))
    for table in (_art_table(facts), _concept_table(facts), _stage_table(facts)):
        console.print(table)


def _art_table(facts: Mapping[str, Any]) -> Table:
    table = Table("artist", "package", "by", "licence", title="Art")
    for artist in facts["art"]:
        table.add_row(artist["name"], f"{artist['package']} {artist['version']}", artist["owner"], artist["licence"])
    return table


def _concept_table(facts: Mapping[str, Any]) -> Table:
    table = Table("split", "subjects", "styles", title=f"Concepts, over {len(facts['classes'])} classes")
    for split, subjects in facts["subjects"].items():
        table.add_row(split, ", ".join(subjects), ", ".join(facts["styles"][split]))
    return table


def _stage_table(facts: Mapping[str, Any]) -> Table:
    table = Table("stage", "how it was made", title="Training")
    for name, stage in facts["stages"].items():
        table.add_row(name, ", ".join(f"{key} {value}" for key, value in stage.items()))
    return table


def _names_by_split(concepts: tuple[Subject, ...] | tuple[Style, ...]) -> dict[str, list[str]]:
    return {
        split: [concept.name for concept in concepts if concept.split == split]
        for split in ("train", "validation", "test")
    }


def _megabytes(path: Path) -> float:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return round(sum(file.stat().st_size for file in files) / 1e6, 2)
