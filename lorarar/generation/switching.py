"""Two LoRAs on one model that draws, each layer with the first until its time in the sampling and then the second.

Invariant: hooks are on the model only while it draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from lorarar.generation.attached_loras import AttachedLora, summed
from lorarar.generation.gates import Hook, added, gated_module, hooked
from lorarar.lora.adapter import Adapter, Factors
from lorarar.lora.drawn_methods import DrawnMethod, SwitchTimes
from lorarar.util.errors import AdapterError

if TYPE_CHECKING:
    from lorarar.generation.placement import Placement


@dataclass
class SwitchedLoras:
    """Content and style on the device that draws, with the time of every layer that goes from one to the other."""

    method: str  # its name
    content: Adapter
    style: Adapter
    times: SwitchTimes
    moment: float = 0.0  # of the sampling, from 0 to 1

    @classmethod
    def of(cls, method: DrawnMethod, loras: Sequence[AttachedLora], place: Placement) -> SwitchedLoras:
        """Two LoRAs by a method, each with its strength.

        Raises:
            AdapterError: they share no layer.
            MethodError: they are not two.
        """
        method.check_two(len(loras))
        content, style = loras
        times = method.switch_times(content.adapter, style.adapter)
        if not times:
            raise AdapterError(
                f"{content.adapter.name} and {style.adapter.name} share no layer of the model that draws, so there "
                "is nothing to choose; without --method pictures are drawn with both"
            )
        device = torch.device(place.device)
        ours, theirs = (
            replace(
                one.adapter,
                layers={name: one.adapter.layers[name].scale(one.strength).to(place.dtype, device) for name in times},
                stored=None,
            )
            for one in loras
        )
        return cls(method.name, ours, theirs, times)

    def used(self, layer: str) -> Factors:
        """What a layer uses now."""
        side = self.content if self.moment < self.times[layer] else self.style
        return side.layers[layer]

    @contextmanager
    def attached(self, model: nn.Module) -> Iterator[None]:
        """Within, the model draws with them, from the first moment on.

        Raises:
            AdapterError: a layer is none of the model's.
        """
        self.moment = 0.0
        with hooked(model, {gated_module(model, layer): self._hook(layer) for layer in self.times}):
            yield

    def _hook(self, layer: str) -> Hook:
        def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            return output + added(module, inputs[0], self.used(layer))

        return add


def unswitched(loras: Sequence[AttachedLora], times: SwitchTimes) -> Adapter | None:
    """What of LoRAs is used throughout, as their sum: layers of one alone, and those of text encoders."""
    rest = [
        lora._replace(adapter=replace(lora.adapter, layers=layers))
        for lora in loras
        if (layers := {name: of for name, of in lora.adapter.layers.items() if name not in times})
    ]
    return summed(rest) if rest else None
