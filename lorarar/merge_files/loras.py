"""Merge LoRA files: the short call ``lorarar.merge``, and the same by a recipe."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorarar.families import DEFAULT_BASE, Base, find_base
from lorarar.generation.bases import drawing_device
from lorarar.lora.adapter import Adapter, check_alike
from lorarar.lora.admission import STRICT, Admission
from lorarar.lora.base_weights import read_adapter_for
from lorarar.lora.fit import check_one_base
from lorarar.lora.names import lora_name
from lorarar.merge_files.checks import check_finite, check_given, check_place
from lorarar.merge_files.result import Merge
from lorarar.merging.computing import CPU
from lorarar.merging.methods import method_named
from lorarar.merging.recipe import PATIENCE, Recipe
from lorarar.pictures.description import NOTHING, Description, describe
from lorarar.training.options import OF_COEFFICIENTS, options_facts
from lorarar.training.place import ANY_PLACE, TrainingPlace
from lorarar.util.dtype import Dtype
from lorarar.util.errors import OutputError
from lorarar.util.files import checkpoint_beside
from lorarar.util.messages import spoken
from lorarar.util.progress import Ticker

if TYPE_CHECKING:
    from lorarar.generation.calibration import Calibrator
    from lorarar.generation.input_moments import InputMoments
    from lorarar.merging.coefficients import Coefficients
    from lorarar.training.pair_coefficients import PairOptimiser


def merge(
    content: str | Path,
    style: str | Path,
    out: str | Path | None = None,
    *,
    more: Sequence[str | Path] = (),
    method: str = "lorarar",
    base: str | Base = DEFAULT_BASE,
    layout: str = "diffusers",
    dtype: Dtype | None = None,
    db: str | Path | None = None,
    content_prompt: str | None = None,
    content_images: str | Path | None = None,
    style_prompt: str | None = None,
    style_images: str | Path | None = None,
    admission: Admission = STRICT,
    place: TrainingPlace = ANY_PLACE,
    progress: bool = False,
    **options: Any,
) -> Merge:
    """Merge a content and a style LoRA; with ``out``, write the result there.

    Args:
        content, style: LoRA files (or PEFT folders) of one base model, in any dialect.
        out: where the merged LoRA goes; None keeps it in memory.
        more: further LoRAs, for methods that merge more than two.
        method: a name of ``lorarar.merging.methods.METHODS``; ``ziplora``, ``ziprank`` and ``soups`` without
            coefficients optimise them, for which both LoRAs need their pictures and their prompts.
        base: a name as ``--base`` takes it, or what ``lorarar.families.find_base`` made of one; all adapters are
            checked against it, as far as its layers are known without loading it.
        layout: a name of ``lorarar.lora.layouts.LAYOUTS``: diffusers, kohya, comfy, peft (a folder), …
        dtype: float32, float16 or bfloat16; by default the widest one of the LoRAs.
        db: the database that the merge in ``out`` is noted in, as ``lorarar merge`` notes it; None notes nothing.
        content_prompt, content_images, style_prompt, style_images: what the LoRAs were trained on, where coefficients
            are optimised and neither a text beside a LoRA nor its header says it; ``ssr`` takes the prompts.
        admission: which LoRAs enter that are refused else: ``lorarar.lora.admission.Admission``.
        place: device and precision, where coefficients are optimised; a device that is named computes the merge too,
            and calibrates.
        progress: whether bars and messages go to stderr, as the command's do; else messages go to the log.
        options: of the method's row, as ``lorarar methods`` lists them: ``weights=(1, 0.8)`` of direct, tsv and others,
            ``density`` of ties and dare, ``mu`` of np-lora, ``hypernet`` and ``key_value`` of lorarar, ``coefficients``
            and ``strengths`` where columns have coefficients; and those of every method: ``rank``, ``seed``,
            ``blocks`` and ``balance``.

    Raises:
        OutputError: ``db`` is named, and no ``out``: the database knows merges by their files.
        AdapterError, HypernetError, MethodError, BaseError, OutputError: each says what was wrong and what is right.
    """
    loras = [Path(lora) for lora in (content, style, *more)]
    if db is not None and out is None:
        raise OutputError("db notes where a merge lies, and it is not written; name a file with out")
    if out is not None:
        check_place(Path(out), layout, (*loras, Path(db)) if db is not None else loras)
    with spoken(progress):
        model = base if isinstance(base, Base) else find_base(base)
        device = drawing_device(place.device) if place.device else CPU
        recipe = Recipe(method_named(method), model, options, dtype, loras=len(loras), device=device)
        checkpoint = checkpoint_beside(Path(out)) if out else None
        given = _given(content_prompt, content_images), _given(style_prompt, style_images)
        merged = merge_loras(
            recipe,
            *loras,
            checkpoint=checkpoint,
            optimiser=optimiser_for(recipe, place),
            calibrator=calibrator_for(recipe, place.device),
            given=given,
            admission=admission,
        )
    if out is None:
        return merged
    written = merged.written(out, layout)
    if db is not None:
        from lorarar.store import Store

        with Store(Path(db)) as store:
            store.add_merge(written, *loras)
    return written


def merge_loras(
    recipe: Recipe,
    *loras: Path,
    checkpoint: Path | None = None,
    optimiser: PairOptimiser | None = None,
    calibrator: Calibrator | None = None,
    given: Sequence[Description] = (NOTHING, NOTHING),
    admission: Admission = STRICT,
) -> Merge:
    """Merge LoRA files by a recipe, in memory.

    Args:
        recipe: what decides the merge beside the files.
        loras: LoRA files or PEFT folders, as many as the recipe is for; of two, content and style.
        checkpoint: where an optimisation keeps its state.
        optimiser: of ``optimiser_for``; one serves many pairs, and loads the base once.
        calibrator: of ``calibrator_for``; one serves many merges, and loads the base once.
        given: what is said of content and of style, of prompt and pictures, where coefficients are optimised; of their
            prompts, and those of further LoRAs, where they are calibrated.
        admission: which LoRAs enter that are refused else.

    Raises:
        AdapterError: a file cannot be read or does not fit, or, where coefficients are optimised or the method is
            calibrated, nothing says its prompt.
        MethodError: something is said of them, and nothing is optimised or calibrated.
        ImageError: where coefficients are optimised, there are no pictures beside a file.
        MethodError: the method cannot merge these LoRAs.
    """
    check_given(recipe, given)
    started = time.perf_counter()
    adapters = read_loras(recipe.base, loras, admission)
    read = time.perf_counter()
    moments, calibration = _calibrated(recipe, calibrator, adapters, loras, given)
    calibrated = time.perf_counter()
    options, coefficients, training = recipe.resolved_options(), None, None
    if optimiser := optimiser or optimiser_for(recipe):
        coefficients, training = _optimised(recipe, optimiser, adapters, loras, given, checkpoint)
        options |= options_facts(optimiser.options)
    result = recipe.merge(adapters, coefficients, moments)
    adapter = Adapter(result.layers, "merged")
    check_finite(adapter)
    return Merge(
        adapter=adapter,
        method=recipe.method,
        options=options,
        inputs=adapters,
        base=recipe.base,
        coefficients=result.coefficients,
        energy=result.energy,
        factor=result.factor,
        dtype=recipe.dtype,
        device=recipe.device,
        training=training,
        calibration=calibration,
        seconds={
            "read": read - started,
            **({"calibrate": calibrated - read} if calibration else {}),
            "compute": time.perf_counter() - calibrated,
        },
    )


def _optimised(
    recipe: Recipe,
    optimiser: PairOptimiser,
    adapters: Sequence[Adapter],
    loras: Sequence[Path],
    given: Sequence[Description],
    checkpoint: Path | None,
) -> tuple[Mapping[str, Coefficients], Mapping[str, object]]:
    """The coefficients of a pair, and all that decided them; pictures are read here alone."""
    from lorarar.pictures.concepts import concept_of
    from lorarar.training.makings import concept_facts

    used = recipe.prepare(adapters)
    concepts = [concept_of(*one) for one in zip(adapters, loras, given, strict=True)]
    content, style = (replace(of, adapter=one) for of, one in zip(concepts, used, strict=True))
    training = optimiser.makings(*recipe.with_blocks(map(concept_facts, concepts)))
    return optimiser.optimise(content, style, training, checkpoint), training


def _calibrated(
    recipe: Recipe,
    calibrator: Calibrator | None,
    adapters: Sequence[Adapter],
    loras: Sequence[Path],
    given: Sequence[Description],
) -> tuple[Sequence[InputMoments], Mapping[str, object] | None]:
    """The moments of LoRAs whose prompts are known, and all that decided them; nothing where none are needed."""
    calibrator = calibrator or calibrator_for(recipe)
    if calibrator is None:
        return (), None
    from lorarar.pictures.concepts import prompt_of

    descriptions = [*given, *[NOTHING] * (len(loras) - len(given))]
    prompts = [
        prompt_of(describe(lora, adapter.metadata, one), lora, lora_name(lora))
        for adapter, lora, one in zip(adapters, loras, descriptions, strict=True)
    ]
    return calibrator.calibrate(adapters, prompts, recipe.seed), calibrator.makings(prompts, recipe.seed)


def _given(prompt: str | None, images: str | Path | None) -> Description:
    return Description(prompt, None if images is None else Path(images)).known_from("the call")


def optimiser_for(recipe: Recipe, place: TrainingPlace = ANY_PLACE) -> PairOptimiser | None:
    """The optimiser of the coefficients of this recipe's pairs; None where a file or a hypernetwork gives them."""
    if not recipe.optimises:
        return None
    from lorarar.training.pair_coefficients import PairOptimiser

    training = OF_COEFFICIENTS.get(recipe.method.name, OF_COEFFICIENTS["ziplora"])  # another package's has ZipLoRA's
    return PairOptimiser(recipe.base, training.values(seed=recipe.seed), place)


def calibrator_for(recipe: Recipe, device: str | None = None) -> Calibrator | None:
    """What calibrates this recipe's LoRAs, by default on a GPU if there is one; None where they need it not.

    Raises:
        BaseError: this machine has no such device.
    """
    if not recipe.method.calibrated:
        return None
    from lorarar.generation.calibration import Calibrator
    from lorarar.generation.placement import Placement

    return Calibrator(recipe.base, Placement.of(recipe.base, device))


def read_loras(base: Base, loras: Sequence[Path], admission: Admission = STRICT) -> tuple[Adapter, ...]:
    """The adapters of LoRA files as they enter a merge, checked against each other and against the base.

    Raises:
        AdapterError: one cannot be read or is not admitted, or they do not belong together or to the base.
    """
    with Ticker("read", len(loras), patience=PATIENCE) as ticker:
        adapters = tuple(_read(base, lora, admission, ticker) for lora in loras)
    check_one_base(adapters)
    check_alike(*adapters)
    return adapters


def _read(base: Base, lora: Path, admission: Admission, ticker: Ticker) -> Adapter:
    adapter = admission.admit(read_adapter_for(base, lora), lora, base)
    ticker.advance()
    return adapter
