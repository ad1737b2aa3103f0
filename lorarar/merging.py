"""Merge two LoRA files into one: read, check, merge, write, and say what was done."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Unpack

from lorarar import __version__
from lorarar.adapter import Adapter, all_finite, check_pair, shape_text
from lorarar.adapter_file import digest_of, read_adapter, write_adapter
from lorarar.bases import Base, find_base, unet_shapes
from lorarar.errors import AdapterError
from lorarar.files import checkpoint_beside
from lorarar.hypernet import Coefficients
from lorarar.layouts import Layout
from lorarar.methods import Origin, method_named
from lorarar.recipe import Dtype, Options, Recipe
from lorarar.truncation import Energy


@dataclass(frozen=True)
class Merge:
    """A finished merge: one adapter for a content and a style, and all that made it."""

    adapter: Adapter
    method: Origin
    options: Mapping[str, Any]
    content: Adapter
    style: Adapter
    base: Base
    coefficients: Mapping[str, Coefficients] = field(default_factory=dict)
    energy: Energy = field(default_factory=Energy)
    dtype: Dtype | None = None  # as asked for
    seconds: Mapping[str, float] = field(default_factory=dict)  # read, compute, write
    path: Path | None = None
    version: str = __version__

    def record(self, layout: Layout = "diffusers") -> dict[str, Any]:
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
        record = self.record(layout)
        path = write_adapter(self.adapter, path, record, layout)
        adapter = replace(self.adapter, name=path.name, sha256=digest_of(path), record=record)
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
        method: a name of ``lorarar.methods.METHODS``; ``ziplora`` without coefficients optimises them, for
            which both LoRAs need their pictures beside them and their prompts in their headers.
        base: pocket, sdxl, a pipeline folder or a hub id; where it lies on this machine, both
            adapters are checked against it.
        layout: diffusers, kohya, or peft (a folder).
        dtype: float32, float16 or bfloat16; by default the wider one of the two LoRAs.
        options: see ``lorarar.recipe.Options``.

    Raises:
        AdapterError, HypernetError, MethodError, BaseError: each names what was wrong and what is accepted.
    """
    recipe = Recipe(method_named(method), find_base(base), options, dtype)
    done = merge_pair(recipe, Path(content), Path(style), checkpoint=checkpoint_beside(Path(out)) if out else None)
    return done if out is None else done.written(out, layout)


def merge_pair(recipe: Recipe, content: Path, style: Path, *, checkpoint: Path | None = None) -> Merge:
    """Merge two LoRA files by a recipe, in memory; ``checkpoint`` is where an optimisation keeps its state."""
    started = time.perf_counter()
    ours, theirs = read_pair(recipe.base, content, style)
    read = time.perf_counter()
    options, coefficients = recipe.record(), None
    if recipe.optimises:
        coefficients, how = recipe.optimised(content, style, checkpoint)
        options |= how
    blend = recipe.blend(ours, theirs, coefficients)
    adapter = Adapter(blend.layers, "merged")
    _check_finite(adapter)
    seconds = {"read": read - started, "compute": time.perf_counter() - read}
    made = recipe.method, options, ours, theirs, recipe.base
    return Merge(adapter, *made, blend.coefficients, blend.energy, recipe.dtype, seconds)


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
                wanted = shape_text(shapes[layer]) if layer in shapes else "absent"
                raise AdapterError(
                    f"{adapter.name} does not fit base {base.name}: {layer} is {shape_text(factors.shape)} here and "
                    f"{wanted} there; name the base it was trained for with --base"
                )


def _check_finite(adapter: Adapter) -> None:
    """A narrow dtype may not hold what a method made of the factors."""
    for layer, factors in adapter.layers.items():
        if not (all_finite(factors.down) and all_finite(factors.up)):
            name = str(factors.down.dtype).removeprefix("torch.")
            raise AdapterError(f"the merge of {layer} does not fit {name}; a wider --dtype or smaller weights would")
