"""Which base a LoRA is made for: its weights decide, its header only where they leave it open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lorarar.families import FAMILIES, Family
from lorarar.families.layer_table import Layers
from lorarar.lora.adapter import ATTENTION, Adapter, part_of
from lorarar.lora.base_layers import layers_of_family
from lorarar.lora.foreign_bases import Shapes, base_of_names, declared_base
from lorarar.lora.transformer_spelling import placed_key


@dataclass(frozen=True)
class MadeFor:
    """The bases that a LoRA may be made for, as people write them; none where nothing tells."""

    titles: tuple[str, ...]
    declared: str | None = None  # what its header says

    def __str__(self) -> str:
        """For people: ``SD 1.5``, ``SDXL or SSD-1B``."""
        return " or ".join(self.titles)


def made_for(layers: Shapes, tensors: Shapes, metadata: Mapping[str, str]) -> MadeFor:
    """Recognise the base that a LoRA is made for.

    Args:
        layers: the shapes of its updates by layer, as far as it can be read.
        tensors: the shapes of its file's tensors by key, where they are at hand; else the layers again.
        metadata: of its file's header.
    """
    declared = declared_base(metadata)
    families = _reading(_likely(families_of(layers), layers), tensors) if layers else ()
    titles = tuple(family.title for family in families)
    if not titles and (named := base_of_names(tensors) or declared):
        titles = (named,)
    confirmed = tuple(title for title in titles if declared and (title == declared or title.startswith(f"{declared} ")))
    return MadeFor(confirmed or titles, declared)


def base_of_adapter(adapter: Adapter) -> MadeFor:
    """The base that an adapter is made for."""
    return made_for(adapter.shapes, adapter.shapes, adapter.metadata)


def family_of_adapter(adapter: Adapter) -> Family | None:
    """The family whose layers an adapter has: what was said where they fit that, else the likeliest of those they fit.

    Said is what a command was told, or what a merge's header has; a trainer's header decides only between likely ones.
    """
    fitting = families_of(adapter.shapes)
    names = (adapter.family, adapter.provenance.get("base"))
    named = [family for family in fitting if family.name in names]
    likely = _likely(fitting, adapter.shapes)
    declared = [family for family in likely if family.title == declared_base(adapter.metadata)]
    return next(iter([*named, *declared, *likely]), None)


def families_of(layers: Shapes) -> list[Family]:
    """The families that have all these layers in these shapes."""
    tables = {name: table for name, family in FAMILIES.items() if (table := layers_of_family(family))}
    return [
        FAMILIES[name]
        for name, table in tables.items()
        if all(table.get(layer) == shape for layer, shape in layers.items())
    ]


def _likely(families: Sequence[Family], layers: Shapes) -> Sequence[Family]:
    """Of families that have these layers, those of which they are the whole attention; where none is so, all."""
    ours = _attention(layers)
    return [one for one in families if ours and ours == _attention(layers_of_family(one) or ())] or families


def _reading(families: Sequence[Family], tensors: Shapes) -> Sequence[Family]:
    """Of families those by whose modules' names most keys are read; a UNet's have none."""

    def read(family: Family) -> int:
        names = family.architecture.names if family.architecture else None
        return sum(1 for key in tensors if placed_key(key, names)) if names else 0

    counts = [read(family) for family in families]
    return [family for family, count in zip(families, counts, strict=True) if count == max(counts)]


def _attention(layers: Iterable[str] | Layers) -> set[str]:
    return {layer for layer in layers if part_of(layer) in ATTENTION}
