"""Models of a family without weights: on the meta device, where they take no memory, their shapes can be counted.

``python -m lorarar.families.meta_models`` prints how large diffusion transformers are, as docs/bases.md has it.
"""

from __future__ import annotations

from pkgutil import resolve_name
from typing import Any

from lorarar.families import FAMILIES
from lorarar.families.architecture import Component
from lorarar.families.family import Family
from lorarar.families.layer_table import read_table
from lorarar.util.errors import BaseError

SCHEDULER = "scheduler"  # the one component that is no model
HALF = 2  # bytes of a number in half precision
RANK = 16  # of the LoRA whose size is said


def meta_model(component: Component) -> Any:
    """A model of shapes alone, of diffusers or of transformers, which has a class of configurations."""
    import torch

    kind = resolve_name(component.kind)
    with torch.device("meta"):
        if hasattr(kind, "from_config"):
            return kind.from_config(dict(component.config))
        return kind(kind.config_class(**component.config))


def parameter_counts(family: Family) -> dict[str, int]:
    """How many numbers each model of a family's base has, by its name in the pipeline; shared ones count once.

    Raises:
        BaseError: the family does not say how they are built.
    """
    if family.architecture is None:
        raise BaseError(f"family {family.name} does not say how its models are built: its architecture is None")
    models = {name: meta_model(one) for name, one in family.architecture.components.items() if name != SCHEDULER}
    return {name: sum(one.numel() for one in model.parameters()) for name, model in models.items()}


def size_row(family: Family) -> str:
    """A diffusion transformer's row of the page: millions of numbers, and GB in half precision.

    Raises:
        BaseError: the family does not say how its models are built.
    """
    counts = parameter_counts(family)
    denoiser, vae = family.modules.denoiser, "vae"
    encoders = " + ".join(_millions(count) for name, count in counts.items() if name not in (denoiser, vae))
    everything = sum(counts.values())
    cells = [f"`{family.name}`", _millions(counts[denoiser]), encoders, _millions(counts[vae]), _millions(everything)]
    cells += [f"{HALF * count / 1e9:.1f} GB" for count in (everything, max(counts.values()))]
    return f"| {' | '.join(cells)} | {HALF * _lora_count(family) / 1e9:.2f} GB |"


def _lora_count(family: Family) -> int:
    """How many numbers a LoRA of all layers of a family has."""
    layers = read_table(family.architecture.layers) if family.architecture and family.architecture.layers else {}
    return sum(RANK * sum(shape) for shape in layers.values())


def _millions(count: int) -> str:
    return f"{count / 1e6:,.0f}"


if __name__ == "__main__":
    print("\n".join(size_row(one) for one in FAMILIES.values() if one.architecture and one.architecture.names))
