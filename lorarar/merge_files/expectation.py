"""What a merge's file says of how it was made, known before it is made: so that none is made twice, or lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorarar.lora.files import read_provenance
from lorarar.lora.locations import digest_of
from lorarar.merging.methods import origin_of
from lorarar.merging.methods.method import SIDES
from lorarar.merging.recipe import Recipe
from lorarar.training.options import options_facts
from lorarar.util.errors import AdapterError

if TYPE_CHECKING:
    from lorarar.training.pair_coefficients import PairOptimiser


def expected_facts(recipe: Recipe, layout: str, optimiser: PairOptimiser | None = None) -> dict[str, Any]:
    """What every file of a recipe says of itself, whatever it is made of.

    Args:
        recipe: of the merges.
        layout: that they are written in.
        optimiser: of the recipe's coefficients, where they are optimised.
    """
    options = recipe.resolved_options() | (options_facts(optimiser.options) if optimiser else {})
    return {
        "method": recipe.method.name,
        "base": recipe.base.name,
        "layout": layout,
        "dtype": recipe.dtype,
        "options": options,
        **origin_of(recipe.method.name),
    }


def is_made_so(file: Path, facts: Mapping[str, Any], loras: Sequence[Path]) -> bool:
    """Whether a merge is there already, and says that it was made of these LoRAs, in their order, with these facts.

    Args:
        file: of the merge, or its folder.
        facts: of ``expected_facts``, and whatever else it has to say.
        loras: files or PEFT folders.

    Raises:
        AdapterError: one of the LoRAs is a folder that is none.
    """
    try:
        provenance = read_provenance(file) if file.exists() else {}
    except AdapterError:
        return False
    return (
        bool(provenance)
        and _digests(provenance) == [digest_of(lora) for lora in loras]
        and {key: provenance.get(key) for key in facts} == dict(facts)
    )


def _digests(provenance: Mapping[str, Any]) -> list[Any]:
    """The digests of the LoRAs that a merge was made of, in their order."""
    sides = [provenance.get(side) for side in SIDES]
    more = provenance.get("loras")
    inputs = more if isinstance(more, list) else sides
    return [one.get("sha256") if isinstance(one, dict) else None for one in inputs]
