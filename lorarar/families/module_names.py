"""Names of a diffusion transformer's modules: diffusers', and those of its first authors' code, a row each.

Where these have one matrix for what diffusers has as several layers (queries, keys and values), a row names them all:
the matrix's rows are theirs, one below the other. ComfyUI builds its models by the first authors' names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from lorarar.families.layer_table import read_table

_DOTTED = re.compile(r"([A-Za-z_]+)\.(\d+)\.")
_FLAT = re.compile(r"([A-Za-z_]+?)_(\d+)_")


@dataclass(frozen=True)
class OriginalModule:
    """A module in the first authors' code, and the layers of diffusers' that it is; ``{}`` is the block's number."""

    name: str
    layers: tuple[str, ...]
    shares: tuple[int, ...] = ()  # of each layer in the module's rows; empty: all alike
    swapped: bool = False  # the upper half of its rows is the lower one of diffusers': shift and scale
    read_alone: bool = False  # a trainer's name, under which nothing is written


class ModulePlace(NamedTuple):
    """What a name of a module stands for."""

    name: str  # under which its tensors are gathered
    layers: tuple[str, ...]  # whose updates its rows hold, in order
    shares: tuple[int, ...]
    swapped: bool

    @property
    def is_plain(self) -> bool:
        """Whether it is one layer, as it stands."""
        return len(self.layers) == 1 and not self.swapped


class Seat(NamedTuple):
    """Where a layer stands in a module of the first authors' code."""

    module: OriginalModule
    name: str  # of the module, with the block's number
    part: int  # among the module's layers


@dataclass(frozen=True, eq=False)
class ModuleNames:
    """All names of a transformer's modules.

    Invariant: a name that both have means the same layer.
    """

    modules: tuple[OriginalModule, ...]  # those that diffusers names otherwise
    table: Path  # of the layers
    component: str = "transformer"
    bases: tuple[str, ...] = ()  # titles of bases that have these names, whatever their sizes
    halves: tuple[str, str] = (".lora_down.weight", ".lora_up.weight")  # of ``comfy`` files; diffusers reads these too

    def place(self, path: str) -> ModulePlace | None:
        """What a module's path stands for; None where it names none.

        Args:
            path: without its component, dotted or with underscores for dots; a block's number may be any.
        """
        for pattern, places in ((_DOTTED, self._dotted), (_FLAT, self._flat)):
            match = pattern.match(path)
            template = f"{match[0][: match.start(2)]}{{}}{path[match.end(2) :]}" if match else path
            if place := places.get(template):
                number = match[2] if match else ""
                layers = tuple(f"{self.component}.{layer.replace('{}', number)}" for layer in place.layers)
                name = layers[0] if place.is_plain else f"{self.component}.{place.name.replace('{}', number)}"
                return ModulePlace(name, layers, place.shares, place.swapped)
        return None

    def is_original(self, path: str) -> bool:
        """Whether a dotted path is one of the first authors', or of a trainer, and none of diffusers'."""
        place = self.place(path)
        return place is not None and f"{self.component}.{path}" not in place.layers

    def place_of(self, seat: Seat) -> ModulePlace:
        """What the module of a seat stands for."""
        return self.place(seat.name) or ModulePlace(seat.name, (f"{self.component}.{seat.name}",), (1,), False)

    def seat(self, module: str) -> Seat:
        """Where a layer of diffusers' stands in the first authors' code; one that is in no row has one name in both."""
        match = _DOTTED.match(module)
        template = f"{match[1]}.{{}}.{module[match.end() :]}" if match else module
        if not (seat := self._seats.get(template)):
            return Seat(OriginalModule(module, (module,)), module, 0)
        return Seat(seat[0], seat[0].name.replace("{}", match[2] if match else ""), seat[1])

    def original_name(self, module: str) -> str | None:
        """The name in checkpoint files of the module that holds the layer."""
        return self.seat(module).name

    @cached_property
    def _dotted(self) -> dict[str, ModulePlace]:
        """What every name stands for, both with ``{}`` for the block's number."""
        plain = {name: ModulePlace(name, (name,), (1,), False) for name in self._templates()}
        return plain | {
            row.name: ModulePlace(row.name, row.layers, row.shares or (1,) * len(row.layers), row.swapped)
            for row in self.modules
        }

    @cached_property
    def _flat(self) -> dict[str, ModulePlace]:
        return {name.replace(".", "_"): place for name, place in self._dotted.items()}

    @cached_property
    def _seats(self) -> dict[str, tuple[OriginalModule, int]]:
        """Of every layer in a row, the row that is written, and its index there."""
        return {
            layer: (row, index) for row in self.modules if not row.read_alone for index, layer in enumerate(row.layers)
        }

    def _templates(self) -> Iterator[str]:
        """The names that diffusers gives, each once for all blocks."""
        for layer in read_table(self.table):
            component, _, module = layer.partition(".")
            if component == self.component:
                yield _DOTTED.sub(r"\1.{}.", module, count=1)
