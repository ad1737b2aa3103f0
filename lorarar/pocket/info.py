"""What ``lorarar pocket info`` says: the parts that are shipped, and how they were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lorarar.pocket import shipped
from lorarar.pocket.art import ARTISTS
from lorarar.pocket.classes import CLASS_NAMES
from lorarar.pocket.concepts import STYLES, SUBJECTS, Style, Subject
from lorarar.util.tables import Table

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


def fact_tables(facts: Mapping[str, Any]) -> list[Table]:
    """The facts as tables; the sizes stand in the first one's title."""
    sizes = facts["megabytes"]
    title = f"Pocket, {sizes['']} MB: " + ", ".join(f"{part} {sizes[part]} MB" for part in sizes if part)
    art = [
        [artist["name"], f"{artist['package']} {artist['version']}", artist["owner"], artist["licence"]]
        for artist in facts["art"]
    ]
    concepts = [
        [split, ", ".join(subjects), ", ".join(facts["styles"][split])] for split, subjects in facts["subjects"].items()
    ]
    stages = [
        [name, ", ".join(f"{key} {value}" for key, value in stage.items())] for name, stage in facts["stages"].items()
    ]
    return [
        Table(title, ["artist", "package", "by", "licence"], art),
        Table(f"Concepts, over {len(facts['classes'])} classes", ["split", "subjects", "styles"], concepts),
        Table("Training", ["stage", "how it was made"], stages),
    ]


def _names_by_split(concepts: tuple[Subject, ...] | tuple[Style, ...]) -> dict[str, list[str]]:
    return {
        split: [concept.name for concept in concepts if concept.split == split]
        for split in ("train", "validation", "test")
    }


def _megabytes(path: Path) -> float:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return round(sum(file.stat().st_size for file in files) / 1e6, 2)
