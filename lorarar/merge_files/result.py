"""A merge and all that made it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lorarar import __version__
from lorarar.families import Base, family_of
from lorarar.lora.adapter import Adapter
from lorarar.lora.axis import Axis
from lorarar.lora.carried import merged_metadata
from lorarar.lora.files import write_adapter
from lorarar.lora.locations import digest_of
from lorarar.lora.truncation import Energy
from lorarar.merging.coefficients import Coefficients, axis_of
from lorarar.merging.computing import CPU
from lorarar.merging.methods import MethodInfo, origin_of
from lorarar.merging.methods.method import SIDES
from lorarar.util.dtype import Dtype
from lorarar.util.libraries import full_versions


@dataclass(frozen=True)
class Merge:
    """A finished merge: one adapter for a content and a style, or for more LoRAs, and all that made it."""

    adapter: Adapter
    method: MethodInfo
    options: Mapping[str, Any]
    inputs: tuple[Adapter, ...]  # as they were read; of two, content and style
    base: Base
    coefficients: Mapping[str, Coefficients] = field(default_factory=dict)
    energy: Energy = field(default_factory=Energy)
    factor: float = 1.0  # with which the result was balanced
    dtype: Dtype | None = None  # the recipe's
    training: Mapping[str, object] | None = None  # all that decided the coefficients, where they were optimised
    calibration: Mapping[str, object] | None = None  # all that decided it beside the LoRAs, where they were calibrated
    tuning: Mapping[str, object] | None = None  # how its settings were found, where a search found them
    seconds: Mapping[str, float] = field(default_factory=dict)  # read, calibrate, compute, write
    path: Path | None = None
    version: str = __version__
    device: str = CPU  # that computed it

    def __repr__(self) -> str:
        """The method, the LoRAs and the base, and what came of them."""
        names = ", ".join(one.name for one in self.inputs)
        ranks = ", ".join(map(str, self.adapter.ranks))
        place = f", at {self.path}" if self.path else ", in memory"
        layers = len(self.adapter.layers)
        return f"Merge({self.method.title} of {names} for {self.base.name}: {layers} layers of rank {ranks}{place})"

    @property
    def content(self) -> Adapter:
        """The first LoRA."""
        return self.inputs[0]

    @property
    def style(self) -> Adapter:
        """The second LoRA."""
        return self.inputs[1]

    @property
    def axis(self) -> Axis:
        """What its coefficients are of."""
        return axis_of(self.coefficients)

    @property
    def origins(self) -> dict[str, Any]:
        """Names and digests of the inputs: of two as content and style, of more as a list."""
        origins = [one.origin for one in self.inputs]
        return dict(zip(SIDES, origins, strict=True)) if len(origins) == len(SIDES) else {"loras": origins}

    def provenance(self, layout: str = "diffusers") -> dict[str, Any]:
        """All that made the merge, as its file's header says it."""
        made = {"training": self.training, "calibration": self.calibration, "tuning": self.tuning}
        return {
            "method": self.method.name,
            "options": self.options,
            **self.origins,
            "base": self.base.name,
            "dtype": self.dtype,
            "layout": layout,
            "discarded": self.energy.share,
            "version": self.version,
            "recorded": {"versions": full_versions(), **({} if self.device == CPU else {"device": self.device})},
            **origin_of(self.method.name),
            **{name: facts for name, facts in made.items() if facts is not None},
        }

    def written(self, path: str | Path, layout: str = "diffusers") -> Merge:
        """Write the merged adapter; what is returned knows its path and digest.

        Raises:
            AdapterError: the file cannot be written.
        """
        started = time.perf_counter()
        provenance = self.provenance(layout)
        adapter = replace(self.adapter, family=family_of(self.base).name, metadata=merged_metadata(self.inputs))
        path = write_adapter(adapter, path, provenance, layout)
        adapter = replace(adapter, name=path.name, sha256=digest_of(path), provenance=provenance)
        seconds = {**self.seconds, "write": time.perf_counter() - started}
        return replace(self, adapter=adapter, seconds=seconds, path=path)
