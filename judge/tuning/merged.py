"""The merged LoRAs of the setting that a search came to, with how it was found in their headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorarar.lora.names import pair_stem
from lorarar.merge_files import OF_ONE_PAIR, calibrator_for, merge_loras
from lorarar.pictures.description import Description
from lorarar.util.messages import message
from lorarar.util.progress import Ticker

if TYPE_CHECKING:
    from judge.tuning.request import Tuning
    from judge.tuning.settings import Setting
    from lorarar.merge_files import Merge
    from lorarar.store import Store


def write_merges(tuning: Tuning, setting: Setting, facts: Mapping[str, Any], out: Path, store: Store) -> list[Path]:
    """Merge by a setting, and note it in the database: one pair into a file, those of folders into one.

    Args:
        tuning: whose LoRAs are merged.
        setting: how.
        facts: how it was found, for the headers.
        out: the file of the merged LoRA; of several pairs their folder.
        store: where merges are noted.

    Returns:
        Where they are; a pair of several that cannot be merged is said, and left out.

    Raises:
        AdapterError, MethodError, OutputError: the only pair cannot be merged or written.
    """
    plan, row = tuning.template, setting.row.beside(Path())
    recipe = row.recipe(tuning.base, loras=plan.lora_count)
    calibrator = calibrator_for(recipe, plan.pictures.device)
    contents, styles = (side.read(tuning.base, plan.needs) for side in (plan.contents, plan.styles))
    written = []
    with Ticker("merge", len(contents) * len(styles), show=tuning.request.every) as ticker:
        for content in contents:
            for style in styles:
                file = out / f"{pair_stem(content.name, style.name)}.safetensors" if tuning.request.every else out
                given = (Description(), Description())
                if row.calibrates:
                    given = Description(prompt=content.prompt), Description(prompt=style.prompt)
                loras = (content.path, style.path, *plan.more)
                try:
                    merged: Merge = merge_loras(
                        recipe, *loras, calibrator=calibrator, given=given, admission=plan.admission
                    )
                except OF_ONE_PAIR as error:
                    if not tuning.request.every:
                        raise
                    message(f"{content.name}, {style.name}: {error}", "yellow")
                    continue
                finally:
                    ticker.advance()
                kept = replace(merged, tuning=facts).written(file)
                store.add_merge(kept, *loras)
                written.append(file)
    return written
