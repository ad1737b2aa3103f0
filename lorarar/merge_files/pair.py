"""Merge two LoRA files: the short call ``lorarar.merge``, and the same by a recipe."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorarar.families import DEFAULT_BASE, Base, find_base
from lorarar.lora.adapter import Adapter, check_pair
from lorarar.lora.files import read_adapter
from lorarar.merge_files.checks import check_base, check_finite, check_given, check_place
from lorarar.merge_files.result import Merge
from lorarar.merging.methods import method_named
from lorarar.merging.recipe import Recipe
from lorarar.pictures.concepts import concept_of
from lorarar.pictures.description import NOTHING, Description
from lorarar.training.makings import concept_facts
from lorarar.util.dtype import Dtype
from lorarar.util.files import checkpoint_beside

if TYPE_CHECKING:
    from lorarar.training.ziplora import PairOptimiser


def merge(
    content: str | Path,
    style: str | Path,
    out: str | Path | None = None,
    *,
    method: str = "lorarar",
    base: str = DEFAULT_BASE,
    layout: str = "diffusers",
    dtype: Dtype | None = None,
    content_prompt: str | None = None,
    content_images: str | Path | None = None,
    style_prompt: str | None = None,
    style_images: str | Path | None = None,
    **options: Any,
) -> Merge:
    """Merge a content and a style LoRA; with ``out``, write the result there.

    Args:
        content, style: LoRA files (or PEFT folders) of one base model, in any dialect.
        out: where the merged LoRA goes; None keeps it in memory.
        method: a name of ``lorarar.merging.methods.METHODS``; ``ziplora`` without coefficients optimises them, for
            which both LoRAs need their pictures and their prompts.
        base: pocket, sdxl, a pipeline folder or a hub id; where it lies on this machine, both
            adapters are checked against it.
        layout: a name of ``lorarar.lora.layouts.LAYOUTS``: diffusers, kohya, peft (a folder), or another package's.
        dtype: float32, float16 or bfloat16; by default the wider one of the two LoRAs.
        content_prompt, content_images, style_prompt, style_images: what the LoRAs were trained on, where coefficients
            are optimised and neither a text beside a LoRA nor its header says it.
        options: of the method's row, as ``lorarar methods`` lists them, and ``rank`` and ``seed``.

    Raises:
        AdapterError, HypernetError, MethodError, BaseError, OutputError: each says what was wrong and what is right.
    """
    if out is not None:
        check_place(Path(out), layout, (Path(content), Path(style)))
    recipe = Recipe(method_named(method), find_base(base), options, dtype)
    checkpoint = checkpoint_beside(Path(out)) if out else None
    given = _given(content_prompt, content_images), _given(style_prompt, style_images)
    merged = merge_pair(recipe, Path(content), Path(style), checkpoint=checkpoint, given=given)
    return merged if out is None else merged.written(out, layout)


def merge_pair(
    recipe: Recipe,
    content: Path,
    style: Path,
    *,
    checkpoint: Path | None = None,
    optimiser: PairOptimiser | None = None,
    given: tuple[Description, Description] = (NOTHING, NOTHING),
) -> Merge:
    """Merge two LoRA files by a recipe, in memory.

    Args:
        recipe: what decides the merge beside the two files.
        content, style: LoRA files or PEFT folders.
        checkpoint: where an optimisation keeps its state.
        optimiser: of ``optimiser_for``; one serves many pairs, and loads the base once.
        given: what is said of content and of style, of prompt and pictures, where coefficients are optimised.

    Raises:
        AdapterError: a file cannot be read or does not fit, or, where coefficients are optimised, nothing says
            its prompt.
        MethodError: something is said of them, and nothing is optimised.
        ImageError: where coefficients are optimised, there are no pictures beside a file.
    """
    check_given(recipe, given)
    started = time.perf_counter()
    ours, theirs = read_pair(recipe.base, content, style)
    read = time.perf_counter()
    options, coefficients, training = recipe.resolved_options(), None, None
    if optimiser := optimiser or optimiser_for(recipe):
        concepts = concept_of(ours, content, given[0]), concept_of(theirs, style, given[1])
        training = optimiser.makings(*map(concept_facts, concepts))
        coefficients = optimiser.optimise(*concepts, checkpoint)
        options |= asdict(optimiser.options)
    result = recipe.merge(ours, theirs, coefficients)
    adapter = Adapter(result.layers, "merged")
    check_finite(adapter)
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
        training=training,
        seconds={"read": read - started, "compute": time.perf_counter() - read},
    )


def _given(prompt: str | None, images: str | Path | None) -> Description:
    return Description(prompt, None if images is None else Path(images)).known_from("the call")


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
