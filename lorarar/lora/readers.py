"""Which programs read a LoRA as it was written, and how completely."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from lorarar.families import Family
from lorarar.families.original_names import numbering_of
from lorarar.lora.adapter import ATTENTION, Adapter, part_of
from lorarar.lora.inspection import kind_of
from lorarar.lora.locations import locate
from lorarar.lora.made_for import family_of_adapter
from lorarar.lora.programs import PROGRAMS, Program
from lorarar.lora.transformer_names import names_of_adapter
from lorarar.util.errors import AdapterError
from lorarar.util.tensor_header import read_tensor_header

EVERYWHERE = "kohya"  # the layout that every program reads of those that read files


@dataclass(frozen=True)
class Reading:
    """How much of a file a program reads."""

    program: str
    taken: int
    layers: int
    lost: tuple[str, ...]  # kinds of layers that it takes none or not all of

    @property
    def is_whole(self) -> bool:
        """Whether it takes every layer."""
        return self.taken == self.layers

    def __str__(self) -> str:
        """For people, after "read by": how much of it."""
        if self.is_whole:
            return f"{self.program} whole"
        return f"{self.program} in part: {self.taken:,} of {self.layers:,} layers, without {', '.join(self.lost)}"


def readings_of(path: Path, adapter: Adapter) -> list[Reading]:
    """How much of a written LoRA each program reads that has its base; one that reads nothing is among them.

    Args:
        path: the file, or the folder.
        adapter: what was written there.

    Raises:
        AdapterError: it is not sound.
    """
    family, keys = family_of_adapter(adapter), _keys_of(path)
    return [
        _reading(program, keys, adapter, family)
        for program in PROGRAMS
        if program.reads_folders == path.is_dir()
        and (not program.families or (family and family.name in program.families))
    ]


def reader_counts(path: Path, adapter: Adapter) -> dict[str, int]:
    """How many layers each of these programs reads, for machines."""
    return {reading.program: reading.taken for reading in readings_of(path, adapter)}


def reading_text(readings: Sequence[Reading]) -> str:
    """The readings of a file for people, as one sentence."""
    read = [str(reading) for reading in readings if reading.taken]
    none = [reading.program for reading in readings if not reading.taken]
    return f"Read by {'; '.join(read) or 'no program known here'}" + (
        f"; not by {', '.join(none)}: --layout {EVERYWHERE} is for all" if none else ""
    )


def _reading(program: Program, keys: Collection[str], adapter: Adapter, family: Family | None) -> Reading:
    names = names_of_adapter(adapter) or numbering_of(family)
    taken = program.taken(keys, adapter.layers, family.name if family else None, names)
    lost = dict.fromkeys(_kind(layer) for layer in adapter.layers if layer not in taken)
    return Reading(program.name, len(taken), len(adapter.layers), tuple(lost))


def _keys_of(path: Path) -> list[str]:
    """The keys of a file; of a PEFT folder with the component before each."""
    return [
        f"{file.component}/{key}" if file.config else key
        for file in locate(path)
        for key in read_tensor_header(file.weights, AdapterError).shapes
    ]


def _kind(layer: str) -> str:
    """What a layer is, in words that say what is lost with it."""
    if layer.endswith(".text_projection"):
        return "text projection"
    return "UNet attention" if layer.startswith("unet.") and part_of(layer) in ATTENTION else kind_of(layer)
