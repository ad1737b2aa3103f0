"""The adapter of a pair: trained and kept where a row trains, merged again in milliseconds where it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorarar.bench.cells import SHORT, Pair
from lorarar.families import Base
from lorarar.generation.calibration import Calibrator
from lorarar.generation.studio import Studio
from lorarar.lora.adapter import Adapter
from lorarar.lora.admission import Admission
from lorarar.lora.files import read_adapter, write_adapter
from lorarar.lora.header import provenance_of, read_header
from lorarar.merge_files import Merge, merge_loras
from lorarar.merging.coefficient_file import write_coefficients
from lorarar.merging.methods.merge_inputs import MergeResult
from lorarar.merging.methods.method import JOINT
from lorarar.merging.projection_cache import ProjectionCache
from lorarar.merging.recipe import Recipe
from lorarar.pictures.concepts import Concept
from lorarar.pictures.description import NOTHING, Description
from lorarar.training.options import LoraOptions, PairOptions, options_facts
from lorarar.util.digest import digest_of_facts
from lorarar.util.errors import TrainingError
from lorarar.util.files import checkpoint_beside

if TYPE_CHECKING:
    from accelerate import Accelerator
    from diffusers import StableDiffusionXLPipeline

    from lorarar.merging.coefficients import CoefficientSet
    from lorarar.training.member_checkpoints import MemberState


def trained_file(pair: Pair, out: Path) -> Path:
    """The result of a pair's training: joint training's LoRA, or coefficients; rows that agree share it."""
    return out / "trained" / pair.row.method / f"{pair.name}-{digest_of_facts(pair.training or {})[:SHORT]}.safetensors"


def merged_file(pair: Pair, out: Path) -> Path:
    """The file of the adapter of a pair whose row merges."""
    return out / "loras" / pair.row.row_name / f"{pair.stem}.safetensors"


def is_trained(pair: Pair, out: Path) -> bool:
    """Whether that file is there and was made by the same training."""
    path = trained_file(pair, out)
    if not path.is_file():
        return False
    try:
        provenance = provenance_of(read_header(path, TrainingError))
    except TrainingError:
        return False
    return bool(provenance.get("training") == pair.training)


def train_pair(
    pair: Pair, base: Base, out: Path, pipeline: StableDiffusionXLPipeline, accelerator: Accelerator, title: str
) -> None:
    """Train what a row needs for a pair, from its checkpoint if it was interrupted, and write it."""
    train_pairs([pair], base, out, pipeline, accelerator, title)


def train_pairs(
    pairs: Sequence[Pair],
    base: Base,
    out: Path,
    pipeline: StableDiffusionXLPipeline,
    accelerator: Accelerator,
    title: str,
) -> None:
    """Train what rows need for pairs of one ``likeness``, all at once and each as alone, and write it.

    Of what was interrupted each goes on from its own checkpoint, all of them being at one step.
    """
    from lorarar.training.makings import made_by
    from lorarar.training.member_checkpoints import MemberState

    files = [trained_file(pair, out) for pair in pairs]
    members = [
        MemberState(checkpoint_beside(file), pair.training or {}) for file, pair in zip(files, pairs, strict=True)
    ]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
    results = _results(pairs, base, pipeline, accelerator, members, title)
    for pair, file, result, member in zip(pairs, files, results, members, strict=True):
        provenance = {
            **pair.method,
            "content": pair.content.adapter.origin,
            "style": pair.style.adapter.origin,
            **made_by(pair.training, base, accelerator),
        }
        if isinstance(result, Adapter):
            write_adapter(result, file, provenance)
        else:
            write_coefficients(result, file, provenance)
        member.path.unlink(missing_ok=True)


def _results(
    pairs: Sequence[Pair],
    base: Base,
    pipeline: StableDiffusionXLPipeline,
    accelerator: Accelerator,
    members: Sequence[MemberState],
    title: str,
) -> Sequence[Adapter | CoefficientSet]:
    """What comes of the trainings of pairs: LoRAs, or coefficients."""
    from lorarar.training.coefficient_group import train_coefficient_group
    from lorarar.training.joint import train_joint, train_joint_group
    from lorarar.training.pair_coefficients import train_coefficients
    from lorarar.training.setup import native_side

    options = pairs[0].row.options
    how: dict[str, Any] = {"accelerator": accelerator, "side": native_side(pipeline), "title": title}
    alone: dict[str, Any] = {"checkpoint": members[0].path, "makings": members[0].makings, **how}
    if isinstance(options, LoraOptions):
        lessons = [(pair.content, pair.style) for pair in pairs]
        if len(pairs) == 1:
            return [train_joint(pipeline, *lessons[0], options, **alone)]
        return train_joint_group(pipeline, lessons, options, members=members, **how)
    assert isinstance(options, PairOptions), "a row that trains makes a LoRA or coefficients"
    used = [_used(pair, base) for pair in pairs]
    if len(pairs) == 1:
        return [train_coefficients(pipeline, *used[0], options, **alone)]
    return train_coefficient_group(pipeline, used, options, members=members, **how)


def _used(pair: Pair, base: Base) -> tuple[Concept, Concept]:
    """A pair's concepts with their LoRAs as they enter its merge."""
    content, style = pair.recipe(base).prepare((pair.content.adapter, pair.style.adapter))
    return replace(pair.content, adapter=content), replace(pair.style, adapter=style)


def merge_in_memory(pair: Pair, recipe: Recipe, studio: Studio, folder: Path | None = None) -> MergeResult:
    """The merge of a pair whose row does not train.

    Args:
        pair: of a plan.
        recipe: its row's.
        studio: its base, on which its LoRAs are calibrated where the row does that.
        folder: where calibrations are kept, by default the cache's.
    """
    adapters = [one.adapter for one in pair.concepts]
    if not pair.row.calibrates:
        return recipe.merge(adapters)
    prompts = [one.prompt for one in pair.concepts]
    return recipe.merge(adapters, moments=Calibrator.on(studio, folder).calibrate(adapters, prompts, recipe.seed))


def merge_for_pair(
    pair: Pair, base: Base, out: Path, cache: ProjectionCache, admission: Admission, studio: Studio
) -> Merge:
    """The pair's adapter as a file, with what made it; of LoRAs that are admitted, and calibrated on the studio.

    Of a row that draws with both it is none, and in no file; its digest stands for what the pictures are drawn with.
    """
    if pair.row.drawn_by:
        name = f"{pair.content.adapter.name} and {pair.style.adapter.name} by {pair.row.method}"
        return Merge(
            adapter=Adapter({}, name, sha256=digest_of_facts(pair.makings)),
            method=pair.row.drawn_by,
            options={},
            inputs=(pair.content.adapter, pair.style.adapter),
            base=base,
        )
    file, options = trained_file(pair, out), pair.row.options
    if isinstance(options, LoraOptions):
        return Merge(
            adapter=read_adapter(file),
            method=JOINT,
            options=options_facts(options),
            inputs=(pair.content.adapter, pair.style.adapter),
            base=base,
            training=pair.training,
            path=file,
        )
    if isinstance(options, PairOptions):
        recipe = pair.recipe(base, {**pair.row.shaping, "coefficients": file, "seed": options.seed})
    else:
        recipe = pair.recipe(base, cache=cache)
    calibrator: Calibrator | None = None
    given: tuple[Description, ...] = (NOTHING, NOTHING)
    if pair.row.calibrates:
        calibrator = Calibrator.on(studio)
        given = tuple(Description(prompt=one.prompt) for one in pair.concepts)
    files = [one.path for one in pair.concepts]
    merged = merge_loras(recipe, *files, admission=admission, calibrator=calibrator, given=given)
    merged = replace(merged, training=pair.training)
    return merged.written(merged_file(pair, out))
