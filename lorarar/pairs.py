"""Every content with every style: N + M projections, N x M files, each known by what made it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorarar.adapter_file import digest_of, record_at
from lorarar.errors import AdapterError
from lorarar.files import checkpoint_beside
from lorarar.layouts import Layout
from lorarar.merging import Merge, merge_pair
from lorarar.recipe import Recipe


@dataclass(frozen=True)
class Pairing:
    """A content and a style, and where their merge goes."""

    content: Path
    style: Path
    out: Path


def pairings(contents: Path, styles: Path, out: Path, layout: Layout = "diffusers") -> list[Pairing]:
    """All pairs of two folders of LoRAs, in order.

    Raises:
        AdapterError: one of them is no folder or holds no LoRA.
    """
    ending = "" if layout == "peft" else ".safetensors"
    return [
        Pairing(content, style, out / f"{content.stem}--{style.stem}{ending}")
        for content in _loras(contents)
        for style in _loras(styles)
    ]


def merge_all(
    recipe: Recipe, wanted: list[Pairing], layout: Layout = "diffusers"
) -> Iterator[tuple[Pairing, Merge | None]]:
    """Merge pair by pair; None for a pair whose file was made just so before.

    Raises:
        AdapterError, MethodError, HypernetError: as of ``lorarar.merge``; what was finished stays.
    """
    made: dict[str, Any] = {
        "method": recipe.method.name,
        "base": recipe.base.name,
        "layout": layout,
        "dtype": recipe.dtype,
    }
    made |= {} if recipe.optimises else {"options": recipe.record()}
    for pairing in wanted:
        if pairing.out.exists() and _made_so(pairing, made):
            yield pairing, None
            continue
        checkpoint = checkpoint_beside(pairing.out)
        done = merge_pair(recipe, pairing.content, pairing.style, checkpoint=checkpoint)
        yield pairing, done.written(pairing.out, layout)


def _made_so(pairing: Pairing, made: Mapping[str, Any]) -> bool:
    """Whether a merged file says that it was made of these two by this recipe."""
    try:
        record = record_at(pairing.out)
    except AdapterError:
        return False
    inputs = {side: record.get(side, {}).get("sha256") for side in ("content", "style")}
    wanted = {"content": digest_of(pairing.content), "style": digest_of(pairing.style)}
    return inputs == wanted and {key: record.get(key) for key in made} == dict(made)


def _loras(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.safetensors"))
    if not found:
        raise AdapterError(f"{folder} is no folder of LoRAs; accepted is one with files ending in .safetensors")
    return found
