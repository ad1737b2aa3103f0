"""One LoRA in another layout, rank or precision: read, check, cut, write, and say what was done to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lorarar import __version__
from lorarar.families import family_of, find_base
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.base_weights import read_adapter_for
from lorarar.lora.carried import SOURCES
from lorarar.lora.conversion.layer import RANK, Conversion
from lorarar.lora.files import read_adapter, write_adapter
from lorarar.lora.fit import check_fit
from lorarar.lora.locations import digest_of
from lorarar.lora.names import lora_name
from lorarar.lora.truncation import Energy, truncate
from lorarar.merge_files.checks import check_finite, check_place
from lorarar.merging.recipe import DTYPES
from lorarar.util.dtype import Dtype
from lorarar.util.messages import spoken


@dataclass(frozen=True)
class ConvertedLora:
    """A LoRA that was written anew."""

    adapter: Adapter  # as it was written
    source: Adapter
    path: Path
    layout: str
    rank: int | None  # that all layers were cut to
    dtype: str
    energy: Energy  # of the whole LoRA, and what the cut discarded

    def __repr__(self) -> str:
        """What was written, from what."""
        return f"ConvertedLora({self.source.name} as {self.layout}, {self.dtype}, at {self.path})"


def convert(
    file: str | Path,
    out: str | Path,
    *,
    layout: str = "diffusers",
    rank: int | None = None,
    dtype: Dtype | None = None,
    base: str | None = None,
    progress: bool = False,
) -> ConvertedLora:
    """Write one LoRA in a layout, whatever dialect it is in.

    Args:
        file: a LoRA's file or folder.
        out: where the new one goes; never the same place.
        layout: a name of ``lorarar.lora.layouts.LAYOUTS``.
        rank: the highest that a layer may have; one above it is cut to its best approximation.
        dtype: of the numbers, by default the LoRA's own.
        base: what it is made for, which is checked, and whose weights DoRA needs; by default what its layers tell.
        progress: whether bars and messages go to stderr, as the command's do; else messages go to the log.

    Raises:
        AdapterError, BaseError, OutputError: each says what was wrong and what is right.
    """
    file, out = Path(file), Path(out)
    check_place(out, layout, (file,))
    with spoken(progress):
        highest = max(rank or RANK, RANK)  # of what is made LoRA on reading, which is cut below
        if base is None:
            source = read_adapter(file, Conversion(highest))
        else:
            wanted = find_base(base)
            source = replace(read_adapter_for(wanted, file, highest), family=family_of(wanted).name)
            check_fit(source, wanted)
    layers, energy = _cut(source, rank)
    titled = {**source.metadata, SOURCES: lora_name(file)}
    adapter = replace(source, layers=layers, metadata=titled).to(DTYPES[dtype] if dtype else source.dtype)
    check_finite(adapter, "the update")
    provenance = _provenance(source, layout, rank, adapter, energy)
    write_adapter(adapter, out, provenance, layout)
    written = replace(adapter, name=out.name, sha256=digest_of(out), provenance=provenance)
    return ConvertedLora(written, source, out, layout, rank, _name(adapter), energy)


def _cut(adapter: Adapter, rank: int | None) -> tuple[Mapping[str, Factors], Energy]:
    if rank is None:
        return adapter.layers, Energy()
    cut = {layer: truncate(factors, rank) for layer, factors in adapter.layers.items()}
    return {layer: factors for layer, (factors, _) in cut.items()}, sum((one for _, one in cut.values()), Energy())


def _provenance(source: Adapter, layout: str, rank: int | None, adapter: Adapter, energy: Energy) -> dict[str, Any]:
    """What made the source, where its header says it, and what was done to it here."""
    converted = {
        "from": source.origin,
        "layout": layout,
        "rank": rank,
        "dtype": _name(adapter),
        "discarded": energy.share,
        "version": __version__,
    }
    return {**source.provenance, "converted": converted}


def _name(adapter: Adapter) -> str:
    return str(adapter.dtype).removeprefix("torch.")
