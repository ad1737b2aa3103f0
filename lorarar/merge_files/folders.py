"""Every content of a folder with every style of another: N + M projections, N x M files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorarar.lora.admission import STRICT, Admission
from lorarar.lora.folders import find_loras
from lorarar.lora.layouts import layout_named
from lorarar.lora.names import distinct_names, pair_stem
from lorarar.merge_files.checks import check_place
from lorarar.merge_files.expectation import expected_facts, is_made_so
from lorarar.merge_files.loras import calibrator_for, merge_loras, optimiser_for
from lorarar.merge_files.result import Merge
from lorarar.merging.recipe import Recipe
from lorarar.training.place import ANY_PLACE, TrainingPlace
from lorarar.util.errors import (
    AdapterError,
    HypernetError,
    ImageError,
    LorarError,
    MethodError,
    OutputError,
    TrainingError,
)
from lorarar.util.files import checkpoint_beside, missing
from lorarar.util.outputs import check_output_folder

#: What can be wrong with one pair alone; anything else (a full disk, say) stops a run of many.
OF_ONE_PAIR = (AdapterError, HypernetError, MethodError, TrainingError)

if TYPE_CHECKING:
    from lorarar.generation.calibration import Calibrator
    from lorarar.training.pair_coefficients import PairOptimiser


@dataclass(frozen=True)
class Pairing:
    """A content and a style, and where their merge goes."""

    content: Path
    style: Path
    out: Path


def pairings(contents: Path, styles: Path, out: Path, layout: str = "diffusers") -> list[Pairing]:
    """All pairs of two folders of LoRAs, in order, each with a place of its own in the folder ``out``.

    Raises:
        AdapterError: one of them holds no LoRA.
        OutputError: ``out`` cannot be written to, or is one of the two folders, whose merges a second run would take
            for contents or styles.
    """
    check_output_folder(out, inputs=(contents, styles))
    ending = layout_named(layout).ending
    return [
        Pairing(content, style, out / f"{pair_stem(ours, theirs)}{ending}")
        for content, ours in _named_loras(contents)
        for style, theirs in _named_loras(styles)
    ]


def merge_all(
    recipe: Recipe,
    pairs: Sequence[Pairing],
    layout: str = "diffusers",
    is_kept: Callable[[Path], bool] = lambda _: True,
    admission: Admission = STRICT,
    place: TrainingPlace = ANY_PLACE,
) -> Iterator[tuple[Pairing, Merge | LorarError | None]]:
    """Merge pair by pair; a pair that fails does not stop the others.

    Args:
        recipe, pairs, layout: what decides the merges, and where they go.
        is_kept: whether a merge that is there already need not be made again, which costs moments; an optimised one,
            which may cost hours, never is.
        admission: which LoRAs enter that are refused else.
        place: device and precision, where coefficients are optimised, and device, where LoRAs are calibrated.

    Yields:
        Each pair with its merge, with why it failed, or with None where its file is there already, made by this
        recipe of these two.
    """
    optimiser, calibrator = optimiser_for(recipe, place), calibrator_for(recipe, place.device)
    expected = expected_facts(recipe, layout, optimiser)
    for pairing in pairs:
        try:
            wanted = expected | _calibration(pairing, recipe, calibrator)
            if _is_merged(pairing, wanted, recipe, optimiser) and (optimiser or is_kept(pairing.out)):
                yield pairing, None
                continue
            check_place(pairing.out, layout, (pairing.content, pairing.style))
            checkpoint = checkpoint_beside(pairing.out)
            merged = merge_loras(
                recipe,
                pairing.content,
                pairing.style,
                checkpoint=checkpoint,
                optimiser=optimiser,
                calibrator=calibrator,
                admission=admission,
            )
            written = merged.written(pairing.out, layout)
        except (*OF_ONE_PAIR, ImageError, OutputError) as error:  # its pictures are gone, or something is in its place
            yield pairing, error
        else:
            yield pairing, written


def _calibration(pairing: Pairing, recipe: Recipe, calibrator: Calibrator | None) -> dict[str, Any]:
    """What a pairing's file says of its calibration, where there is one.

    Raises:
        AdapterError: nothing says the prompt of a LoRA.
    """
    if calibrator is None:
        return {}
    from lorarar.pictures.concepts import prompt_of_file

    prompts = [prompt_of_file(lora) for lora in (pairing.content, pairing.style)]
    return {"calibration": calibrator.makings(prompts, recipe.seed)}


def _is_merged(pairing: Pairing, expected: Mapping[str, Any], recipe: Recipe, optimiser: PairOptimiser | None) -> bool:
    """Whether the pairing's file says that it was made of these two LoRAs, and as expected."""
    if optimiser is not None and pairing.out.exists():
        from lorarar.training.makings import facts_of_file

        makings = optimiser.makings(*recipe.with_blocks(map(facts_of_file, (pairing.content, pairing.style))))
        expected = {**expected, "training": makings}
    return is_made_so(pairing.out, expected, (pairing.content, pairing.style))


def _named_loras(folder: Path) -> list[tuple[Path, str]]:
    if not folder.is_dir():
        raise AdapterError(f"{folder} is a file, no folder of LoRAs" if folder.exists() else missing(folder))
    loras = find_loras(folder)
    if not loras:
        raise AdapterError(
            f"{folder} is no folder of LoRAs; accepted are files as of lorarar inspect, and PEFT folders"
        )
    return list(zip(loras, distinct_names(loras), strict=True))
