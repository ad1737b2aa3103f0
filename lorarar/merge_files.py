"""Merge LoRA files: read, check, optimise where the method does, merge, write, and say what was done.

One pair, or every content with every style: N + M projections, N x M files, each known by what made it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from lorarar import __version__
from lorarar.families import Base, find_base
from lorarar.generation.bases import unet_shapes
from lorarar.lora.adapter import Adapter, all_finite, check_pair, shape_text
from lorarar.lora.files import digest_of, read_adapter, read_provenance, write_adapter
from lorarar.lora.layouts import Layout
from lorarar.lora.truncation import Energy
from lorarar.merging.hypernet import Coefficients
from lorarar.merging.methods import MethodInfo, method_named
from lorarar.merging.options import Options
from lorarar.merging.recipe import Dtype, Recipe
from lorarar.pictures.concepts import concept_of
from lorarar.util.errors import AdapterError
from lorarar.util.files import checkpoint_beside

if TYPE_CHECKING:
    from lorarar.training.ziplora import PairOptimiser


@dataclass(frozen=True)
class Merge:
    """A finished merge: one adapter for a content and a style, and all that made it."""

    adapter: Adapter
    method: MethodInfo
    options: Mapping[str, Any]
    content: Adapter
    style: Adapter
    base: Base
    coefficients: Mapping[str, Coefficients] = field(default_factory=dict)
    energy: Energy = field(default_factory=Energy)
    dtype: Dtype | None = None  # the recipe's
    seconds: Mapping[str, float] = field(default_factory=dict)  # read, compute, write
    path: Path | None = None
    version: str = __version__

    def provenance(self, layout: Layout = "diffusers") -> dict[str, Any]:
        """What made the merge, for a file's header."""
        return {
            "method": self.method.name,
            "options": self.options,
            "content": self.content.origin,
            "style": self.style.origin,
            "base": self.base.name,
            "dtype": self.dtype,
            "layout": layout,
            "discarded": self.energy.share,
            "version": self.version,
        }

    def written(self, path: str | Path, layout: Layout = "diffusers") -> Merge:
        """Write the merged adapter; what is returned knows its path and digest.

        Raises:
            AdapterError: the file cannot be written.
        """
        started = time.perf_counter()
        provenance = self.provenance(layout)
        path = write_adapter(self.adapter, path, provenance, layout)
        adapter = replace(self.adapter, name=path.name, sha256=digest_of(path), provenance=provenance)
        seconds = {**self.seconds, "write": time.perf_counter() - started}
        return replace(self, adapter=adapter, seconds=seconds, path=path)


def merge(
    content: str | Path,
    style: str | Path,
    out: str | Path | None = None,
    *,
    method: str = "lorarar",
    base: str = "pocket",
    layout: Layout = "diffusers",
    dtype: Dtype | None = None,
    **options: Unpack[Options],
) -> Merge:
    """Merge a content and a style LoRA; with ``out``, write the result there.

    Args:
        content, style: LoRA files (or PEFT folders) of one base model, in any dialect.
        out: where the merged LoRA goes; None keeps it in memory.
        method: a name of ``lorarar.merging.methods.METHODS``; ``ziplora`` without coefficients optimises them, for
            which both LoRAs need their pictures beside them and their prompts in their headers.
        base: pocket, sdxl, a pipeline folder or a hub id; where it lies on this machine, both
            adapters are checked against it.
        layout: diffusers, kohya, or peft (a folder).
        dtype: float32, float16 or bfloat16; by default the wider one of the two LoRAs.
        options: see ``lorarar.merging.options.Options``.

    Raises:
        AdapterError, HypernetError, MethodError, BaseError: each names what was wrong and what is accepted.
    """
    recipe = Recipe(method_named(method), find_base(base), options, dtype)
    merged = merge_pair(recipe, Path(content), Path(style), checkpoint=checkpoint_beside(Path(out)) if out else None)
    return merged if out is None else merged.written(out, layout)


def merge_pair(
    recipe: Recipe,
    content: Path,
    style: Path,
    *,
    checkpoint: Path | None = None,
    optimiser: PairOptimiser | None = None,
) -> Merge:
    """Merge two LoRA files by a recipe, in memory.

    Args:
        recipe: what decides the merge beside the two files.
        content, style: LoRA files or PEFT folders.
        checkpoint: where an optimisation keeps its state.
        optimiser: of ``optimiser_for``; one serves many pairs, and loads the base once.

    Raises:
        AdapterError: a file cannot be read or does not fit, or, where coefficients are optimised, has no prompt in
            its header.
        ImageError: where coefficients are optimised, there are no pictures beside a file.
    """
    started = time.perf_counter()
    ours, theirs = read_pair(recipe.base, content, style)
    read = time.perf_counter()
    options, coefficients = recipe.resolved_options(), None
    if optimiser := optimiser or optimiser_for(recipe):
        coefficients = optimiser.optimise(concept_of(ours, content), concept_of(theirs, style), checkpoint)
        options |= asdict(optimiser.options)
    result = recipe.merge(ours, theirs, coefficients)
    adapter = Adapter(result.layers, "merged")
    _check_finite(adapter)
    return Merge(
        adapter=adapter,
        method=recipe.method,
        options=options,
        content=ours,
        style=theirs,
        base=recipe.base,
        coefficients=result.coefficients,
        energy=result.energy,
        dtype=recipe.dtype,
        seconds={"read": read - started, "compute": time.perf_counter() - read},
    )


def optimiser_for(recipe: Recipe) -> PairOptimiser | None:
    """The optimiser of the coefficients of this recipe's pairs; None where a file or a hypernetwork gives them."""
    if not recipe.optimises:
        return None
    from lorarar.training.ziplora import PairOptimiser

    return PairOptimiser(recipe.base, recipe.seed)


def read_pair(base: Base, content: Path, style: Path) -> tuple[Adapter, Adapter]:
    """Both adapters, checked against each other and against the base.

    Raises:
        AdapterError: one cannot be read, or they do not belong together or to the base.
    """
    pair = read_adapter(content), read_adapter(style)
    check_pair(*pair)
    check_base(base, *pair)
    return pair


def check_base(base: Base, *adapters: Adapter) -> None:
    """Refuse adapters whose UNet layers the base does not have in that shape.

    Raises:
        AdapterError: the message names layer and shapes.
    """
    shapes = unet_shapes(base)
    if shapes is None:
        return
    for adapter in adapters:
        for layer, factors in adapter.layers.items():
            if layer.startswith("unet.") and shapes.get(layer) != factors.shape:
                there = shape_text(shapes[layer]) if layer in shapes else "absent"
                raise AdapterError(
                    f"{adapter.name} does not fit base {base.name}: {layer} is {shape_text(factors.shape)} here and "
                    f"{there} there; name the base it was trained for with --base"
                )


def _check_finite(adapter: Adapter) -> None:
    """Refuse a merge that a narrow dtype cannot hold."""
    for layer, factors in adapter.layers.items():
        if not (all_finite(factors.down) and all_finite(factors.up)):
            name = str(factors.down.dtype).removeprefix("torch.")
            raise AdapterError(f"the merge of {layer} does not fit {name}; a wider --dtype or smaller weights would")


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
    optimiser = optimiser_for(recipe)
    for pairing in pairs:
        if pairing.out.exists() and _is_merged(pairing, expected):
            yield pairing, None
            continue
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
