"""``lorarar merge``"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from lorarar.cli.admission_flags import AnywayOption, DropMissingOption
from lorarar.cli.concept_flags import NAMES, concept_flags, given_pair
from lorarar.cli.console import (
    BaseOption,
    DbOption,
    JsonOption,
    PredictionOption,
    VaeOption,
    command,
    one_of,
    print_json,
    print_path,
)
from lorarar.cli.flags import Flag, given_options
from lorarar.cli.given_files import check_single, check_there
from lorarar.cli.help_pages import MERGING, help_page
from lorarar.cli.layout_flag import layout_flag, layout_of
from lorarar.cli.method_flags import check_options, method_flags, method_of
from lorarar.cli.place_flags import MergingDeviceOption, PrecisionOption, place_given
from lorarar.families import DEFAULT_BASE
from lorarar.util.dtype import Dtype
from lorarar.util.errors import AdapterError, LorarError, MethodError
from lorarar.util.formatting import count, in_words
from lorarar.util.messages import message

if TYPE_CHECKING:
    from lorarar.lora.admission import Admission
    from lorarar.merge_files import Merge, Pairing
    from lorarar.merging.recipe import Recipe
    from lorarar.store import Store
    from lorarar.training.place import TrainingPlace


def merge_flags() -> list[Flag]:
    """The flags of methods, and the layouts."""
    return [*method_flags(), *concept_flags(), layout_flag()]


@help_page(
    "lorarar merge dog.safetensors oil.safetensors -o dog-in-oil.safetensors",
    "lorarar merge dog.safetensors oil.safetensors -o ties.safetensors --method ties --density 0.3",
    "lorarar merge contents styles -o merged --all --base sdxl --method np-lora --layout kohya",
    panel=MERGING,
)
@command
def merge(
    context: typer.Context,
    content: Annotated[Path, typer.Argument(help="Content LoRA; with --all a folder of them.")],
    style: Annotated[Path, typer.Argument(help="Style LoRA; with --all a folder of them.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the merged LoRA goes; with --all a folder.")],
    more: Annotated[list[Path] | None, typer.Argument(help="Further LoRAs, for methods that take them.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Merge every content with every style.")] = False,
    base: BaseOption = DEFAULT_BASE,
    vae: VaeOption = None,
    prediction: PredictionOption = None,
    dtype: Annotated[
        str | None,
        typer.Option("--dtype", help="float32, float16 or bfloat16.", show_default="the widest of all"),
    ] = None,
    overwrite_input: Annotated[
        bool, typer.Option("--overwrite-input", help="Let the merge replace one of the files it is made of.")
    ] = False,
    anyway: AnywayOption = False,
    drop_missing: DropMissingOption = False,
    device: MergingDeviceOption = None,
    precision: PrecisionOption = None,
    db: DbOption = None,
    as_json: JsonOption = False,
) -> None:
    """Merge a content and a style LoRA, or more, into one ordinary LoRA; ``lorarar methods`` lists the methods."""
    from lorarar.families import find_base
    from lorarar.lora.layouts import layout_named
    from lorarar.merging.methods import method_named
    from lorarar.util.outputs import check_output, check_output_folder

    method, options = method_of(given := given_options(context), "layout", *NAMES)
    row = method_named(method)
    layout = layout_of(given)
    if dtype is not None:
        one_of("--dtype", dtype, get_args(Dtype), MethodError)
    if every and more:
        raise MethodError("--all merges the pairs of two folders, contents and styles; more are given")
    loras = (content, style, *(more or ()))
    model = find_base(base, vae=vae, prediction=prediction)
    check_options(row.for_loras(len(loras)) if row.loras == "many" else row, options)
    if not every:
        database = () if db is None else (db,)
        if layout_named(layout).folder:
            check_output_folder(out, inputs=database)
        else:
            check_output(out, ".safetensors", inputs=database)
        check_there(*loras)
        check_single(*loras)
    from lorarar.generation.bases import drawing_device
    from lorarar.lora.admission import Admission
    from lorarar.merge_files import calibrator_for, check_given, check_place, merge_loras, optimiser_for, pairings
    from lorarar.merging.computing import CPU
    from lorarar.merging.recipe import Recipe
    from lorarar.store import Store, default_path
    from lorarar.util.files import checkpoint_beside

    computing = drawing_device(device) if device else CPU
    recipe = Recipe(row, model, options, cast("Dtype | None", dtype), loras=len(loras), device=computing)
    check_given(recipe, concepts := given_pair(given))
    place = place_given(recipe, device if recipe.uses_base else None, precision)
    if every and any(concepts):
        raise MethodError(
            "--content-prompt and its like are of one pair; with --all a text NAME.txt beside each says it"
        )
    admission = Admission(anyway, drop_missing)
    pairs = pairings(content, style, out, layout) if every else []
    if not every:
        inputs = () if overwrite_input else (*loras, *recipe.files)
        check_place(out, layout, (*inputs, db or default_path()))
    with Store(db) as store:
        if every:
            _merge_all(recipe, pairs, layout, store, admission, place, as_json)
        else:
            merged = merge_loras(
                recipe,
                *loras,
                checkpoint=checkpoint_beside(out),
                optimiser=optimiser_for(recipe, place),
                calibrator=calibrator_for(recipe, place.device),
                given=concepts,
                admission=admission,
            )
            _keep_one(merged.written(out, layout), loras, store, as_json)


def _keep_one(merged: Merge, loras: Sequence[Path], store: Store, as_json: bool) -> None:
    """Note a merge that is written, and say what it is."""
    merge_id = store.add_merge(merged, *loras)
    if as_json:
        print_json(summary(merged) | {"id": merge_id})
    else:
        describe(merged)
        describe_readers(merged)
        print_path(merged.path)


def _merge_all(
    recipe: Recipe,
    pairs: Sequence[Pairing],
    layout: str,
    store: Store,
    admission: Admission,
    place: TrainingPlace,
    as_json: bool,
) -> None:
    from dataclasses import replace

    from lorarar.lora.locations import digest_of
    from lorarar.merge_files import Merge, merge_all
    from lorarar.merging.projection_cache import ProjectionCache
    from lorarar.util.progress import Ticker

    cache = ProjectionCache()
    summaries, new, failures = [], 0, []  # not the merges themselves: 370 MB each at SDXL's size
    with Ticker("merge", len(pairs)) as ticker:
        merges = merge_all(replace(recipe, cache=cache), pairs, layout, store.has_merge, admission, place)
        for pairing, outcome in merges:
            if isinstance(outcome, Merge):
                store.add_merge(outcome, pairing.content, pairing.style)
                new += 1
                if new == 1 and not as_json:
                    describe_readers(outcome)
            elif outcome is None:
                store.see_loras({digest_of(lora): lora for lora in (pairing.content, pairing.style)})
            if isinstance(outcome, LorarError):
                failures.append(str(outcome))
            elif as_json:
                summaries.append(summary(outcome) | {"new": True} if outcome else _summary_of_file(pairing.out))
            else:
                summaries.append({"path": str(pairing.out)})
            ticker.advance()
    for failure in dict.fromkeys(failures):
        message(failure, "red")
    if as_json:
        print_json(summaries)
    else:
        projected = f", {cache.computed} projections computed" if cache.computed else ""
        message(f"{count(new, 'merge')}, {len(summaries) - new} were there already{projected}")
        for one in summaries:
            print_path(Path(str(one["path"])))
    if failures:
        raise AdapterError(
            f"{len(failures)} of {count(len(pairs), 'pair')} failed, as said above; run it again to retry them alone"
        )


def summary(merged: Merge) -> dict[str, object]:
    """A merge for machines."""
    from lorarar.lora.readers import reader_counts

    return {
        "path": str(merged.path),
        "sha256": merged.adapter.sha256,
        "method": merged.method.name,
        "options": merged.options,
        "base": merged.base.name,
        **merged.origins,
        "layers": len(merged.adapter.layers),
        "ranks": list(merged.adapter.ranks),
        "discarded_energy": merged.energy.share,
        **({"factor": merged.factor} if "balance" in merged.options else {}),
        "readers": reader_counts(merged.path, merged.adapter) if merged.path else {},
        "seconds": {name: round(value, 6) for name, value in merged.seconds.items()},
        "version": merged.version,
    }


def _summary_of_file(path: Path) -> dict[str, object]:
    """A merge that was there already for machines, as its file says it, under the same keys."""
    from lorarar.lora.files import read_adapter
    from lorarar.lora.readers import reader_counts

    adapter = read_adapter(path)
    facts = adapter.provenance
    return {
        "path": str(path),
        "sha256": adapter.sha256,
        **{key: facts.get(key) for key in ("method", "options", "base", "content", "style")},
        "layers": len(adapter.layers),
        "ranks": list(adapter.ranks),
        "discarded_energy": facts.get("discarded"),
        "readers": reader_counts(path, adapter),
        "seconds": {},
        "version": facts.get("version"),
        "new": False,
    }


def describe_readers(merged: Merge) -> None:
    """Say on stderr which programs read what was written, and how much of it."""
    from lorarar.lora.readers import reading_text, readings_of

    if merged.path:
        message(reading_text(readings_of(merged.path, merged.adapter)))


def describe(merged: Merge) -> None:
    """A merge for people, on stderr."""
    seconds = ", ".join(f"{name} {value * 1000:.0f} ms" for name, value in merged.seconds.items())
    ranks = ", ".join(map(str, merged.adapter.ranks))
    lost = f", {merged.energy.share:.1%} of the energy discarded by the cut" if merged.energy.whole else ""
    balanced = f", balanced by a factor of {merged.factor:.3g}" if "balance" in merged.options else ""
    message(
        f"{merged.method.title} of {in_words([one.name for one in merged.inputs])}: "
        f"{len(merged.adapter.layers)} layers of rank {ranks}{lost}{balanced} ({seconds})"
    )
    for name, blocks in merged.options.get("blocks", {}).items():
        message(f"blocks of {name}: {blocks}")
    _describe_lonely_layers(merged)


def _describe_lonely_layers(merged: Merge) -> None:
    """Say how many layers were not merged with another, as the inputs' files have them."""
    from lorarar.merging.methods.method import name_of

    owners = Counter(layer for one in merged.inputs for layer in one.layers)
    lonely = [sum(owners[layer] == 1 for layer in one.layers) for one in merged.inputs]
    if any(lonely) and "blocks" not in merged.options:
        names = (name_of(place, len(lonely)) for place in range(len(lonely)))
        counts = ", ".join(f"{many} of {name}" for many, name in zip(lonely, names, strict=True))
        message(f"layers of one side alone, kept as they are: {counts}")
