"""Every content of a folder with every style of another: N + M projections, N x M files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorarar.lora.files import digest_of, read_provenance
from lorarar.lora.layouts import Layout
from lorarar.merge_files.pair import merge_pair, optimiser_for
from lorarar.merge_files.result import Merge
from lorarar.merging.recipe import Recipe
from lorarar.util.errors import AdapterError
from lorarar.util.files import checkpoint_beside


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
    recipe: Recipe, pairs: list[Pairing], layout: Layout = "diffusers"
) -> Iterator[tuple[Pairing, Merge | None]]:
    """Merge pair by pair; None stands for a merge whose file is there already, made by this recipe of these two.

    Raises:
        AdapterError, MethodError, HypernetError: as of ``lorarar.merge``; what was finished stays.
    """
    expected: dict[str, Any] = {
        "method": recipe.method.name,
        "base": recipe.base.name,
        "layout": layout,
        "dtype": recipe.dtype,
    }
    if not recipe.optimises:
        expected["options"] = recipe.resolved_options()
    optimiser = None  # made for the first pair that is not there yet
    for pairing in pairs:
        if pairing.out.exists() and _is_merged(pairing, expected):
            yield pairing, None
            continue
        optimiser = optimiser or optimiser_for(recipe)
        checkpoint = checkpoint_beside(pairing.out)
        merged = merge_pair(recipe, pairing.content, pairing.style, checkpoint=checkpoint, optimiser=optimiser)
        yield pairing, merged.written(pairing.out, layout)


def _is_merged(pairing: Pairing, expected: Mapping[str, Any]) -> bool:
    """Whether the pairing's file says that it was made of these two LoRAs, and as expected."""
    try:
        provenance = read_provenance(pairing.out)
    except AdapterError:
        return False
    digests = {side: provenance.get(side, {}).get("sha256") for side in ("content", "style")}
    if digests != {"content": digest_of(pairing.content), "style": digest_of(pairing.style)}:
        return False
    return {key: provenance.get(key) for key in expected} == dict(expected)


def _loras(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise AdapterError(f"{folder} is no folder of LoRAs; accepted is one with files ending in .safetensors")
    return files
