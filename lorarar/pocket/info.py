"""What ``lorarar pocket info`` says."""

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
from lorarar.pocket.concepts import STYLES, SUBJECTS

_PARTS = ("base", "contents", "styles", "designs", "hypernet.safetensors", "probe.safetensors")


def facts(judges: Path, judges_stages: Mapping[str, Any]) -> dict[str, Any]:
    """Everything there is to know of what is shipped; the judges lie in a folder of their own, with their stages."""
    sizes = {part: _megabytes(shipped.WEIGHTS / part) for part in _PARTS} | {"judges": _megabytes(judges)}
    return {
        "megabytes": sizes | {"": round(sum(sizes.values()), 2)},
        "art": [asdict(artist) for artist in ARTISTS],
        "classes": list(CLASS_NAMES),
        "subjects": {
            split: [s.name for s in SUBJECTS if s.split == split] for split in ("train", "validation", "test")
        },
        "styles": {split: [s.name for s in STYLES if s.split == split] for split in ("train", "validation", "test")},
        "stages": shipped.manifest()["stages"] | judges_stages,
    }


def describe(parts: dict[str, Any]) -> None:
    """The facts as tables, on stdout."""
    console = Console(highlight=False)
    sizes = parts["megabytes"]
    console.print(f"[bold]Pocket[/bold], {sizes['']} MB: " + ", ".join(f"{p} {sizes[p]} MB" for p in sizes if p))
    art = Table("artist", "package", "by", "licence", title="Art")
    for artist in parts["art"]:
        art.add_row(artist["name"], f"{artist['package']} {artist['version']}", artist["owner"], artist["licence"])
    console.print(art)
    zoo = Table("split", "subjects", "styles", title=f"Zoo, over {len(parts['classes'])} classes")
    for split, subjects in parts["subjects"].items():
        zoo.add_row(split, ", ".join(subjects), ", ".join(parts["styles"][split]))
    console.print(zoo)
    stages = Table("stage", "how it was made", title="Training")
    for name, how in parts["stages"].items():
        stages.add_row(name, ", ".join(f"{key} {value}" for key, value in how.items()))
    console.print(stages)


def _megabytes(path: Path) -> float:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return round(sum(file.stat().st_size for file in files) / 1e6, 2)
