"""Block weights: how much of a LoRA counts in each block, before it is merged."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from lorarar.families.table import DENOISERS
from lorarar.lora.adapter import Adapter
from lorarar.merging.block_names import COUNTS, NAMES, PRESETS
from lorarar.merging.methods.method import SIDES
from lorarar.util.errors import AdapterError, MethodError
from lorarar.util.suggestion import did_you_mean

_OURS = re.compile(r"((down|up)_blocks\.\d+|mid_block)(\.\w+)*|conv_in|conv_out|time_embedding|add_embedding")
_OF_TRANSFORMERS = re.compile(r"((single_)?transformer_blocks|layers|noise_refiner|context_refiner)\.\d+(\.\w+)*")
_ACCEPTED = (
    f"a preset ({', '.join(PRESETS)}), {', '.join(map(str, COUNTS))} numbers, or NAME:NUMBER;… with names as "
    "TE, UNET, up_blocks.0.attentions.1, IN04, or of a transformer transformer_blocks.0, layers.0"
)


@dataclass(frozen=True)
class BlockWeights:
    """Numbers by names of blocks; of several that mean a layer the most precise counts, what none means is whole."""

    numbers: Mapping[str, float]

    @property
    def text(self) -> str:
        """The weights as ``NAME:NUMBER;…``, which is read again to the same."""
        return ";".join(
            f"{name}:{int(number) if number.is_integer() else number}" for name, number in self.numbers.items()
        )

    def of(self, layer: str) -> float:
        """The number of a layer."""
        places = [place for place in self._places if layer == place or layer.startswith(f"{place}.")]
        return self._places[max(places, key=len)] if places else 1.0

    def apply(self, adapter: Adapter) -> Adapter:
        """The adapter with its layers times their numbers, without those whose number is 0; it is in no file.

        Raises:
            AdapterError: none is left, or a name is one of a UNet's blocks, and it is of a transformer.
        """
        components = {layer.partition(".")[0] for layer in adapter.layers}
        strange = next((name for name in self.numbers if _is_of_unets(name)), None)
        if strange and "unet" not in components and {*components} & {*DENOISERS}:
            raise AdapterError(
                f"--blocks {self.text}: {strange} is a block of UNets, and {adapter.name} is of a transformer; "
                "accepted are its own, such as transformer_blocks.0, single_transformer_blocks.0, layers.0, and TE"
            )
        layers = {
            name: factors.scale(number) for name, factors in adapter.layers.items() if (number := self.of(name)) != 0
        }
        if not layers:
            raise AdapterError(
                f"--blocks {self.text} leaves nothing of {adapter.name}; see its layers: lorarar inspect"
            )
        return replace(adapter, layers=layers, sha256="")

    @cached_property
    def _places(self) -> dict[str, float]:
        """Numbers by the beginnings of layers' names."""
        return {place: number for name, number in self.numbers.items() for place in _meant(name)}


def read_blocks(table: Mapping[str, str], count: int) -> tuple[BlockWeights | None, ...]:
    """The block weights of so many LoRAs, in their order.

    Args:
        table: by ``content``, ``style`` or a number from 1 on, a preset, numbers as kohya counts blocks, also in
            its brackets, or ``NAME:NUMBER;…``; commas and semicolons are one.
        count: of the LoRAs.

    Raises:
        MethodError: a name is of no LoRA, or two of one, or a text is none of these; the message says what is accepted.
    """
    weights: list[BlockWeights | None] = [None] * count
    for which, text in table.items():
        place = _place(which, count)
        if weights[place] is not None:
            raise MethodError(f"--blocks names LoRA {place + 1} twice, as {which} and otherwise; accepted is once")
        weights[place] = _parse(text.strip(), which, SIDES[min(place, 1)])
    return tuple(weights)


def _place(which: str, count: int) -> int:
    """The place of the LoRA that is meant, from 0 on."""
    if which in SIDES:
        return SIDES.index(which)
    if which.isdecimal() and 1 <= int(which) <= count:
        return int(which) - 1
    accepted = f"accepted are content, style and 1 to {count}{did_you_mean(which, SIDES)}"
    raise MethodError(f"--blocks {which}=…: there is no LoRA {which}; {accepted}")


def _parse(text: str, which: str, side: str) -> BlockWeights:
    if text in PRESETS:
        kept = getattr(PRESETS[text], side)
        return BlockWeights({"TE": 0.0, "UNET": 0.0, **dict.fromkeys(kept, 1.0)})
    named = ":" in text
    parts = [part.strip() for part in re.split("[,;]", text.strip("[]")) if part.strip()]
    if not named and len(parts) not in COUNTS:
        near = did_you_mean(text, PRESETS)
        raise MethodError(
            f"--blocks {which}={text}: no preset, nor {len(parts)} numbers; accepted is {_ACCEPTED}{near}"
        )
    pairs = (
        [part.rpartition(":")[::2] for part in parts] if named else list(zip(COUNTS[len(parts)], parts, strict=True))
    )
    weights = BlockWeights({_name(name, which): _number(number, which) for name, number in pairs})
    meant = [place for name in weights.numbers for place in _meant(name)]
    if len(weights.numbers) < len(pairs) or len(set(meant)) < len(meant):
        raise MethodError(f"--blocks {which}={text} says one block twice; accepted is each once")
    return weights


def _name(name: str, which: str) -> str:
    """A block's name as the table has it, or as our layers have it."""
    known = {"MID": "M00"}.get(name.strip().upper(), name.strip().upper())
    ours = name.strip().removeprefix("unet.").removeprefix("transformer.")
    if known not in NAMES and not (_OURS.fullmatch(ours) or _OF_TRANSFORMERS.fullmatch(ours)):
        raise MethodError(f"--blocks {which}: {name} is no block; accepted is {_ACCEPTED}")
    return known if known in NAMES else ours


def _number(text: str, which: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise MethodError(f"--blocks {which}: {text!r} is no number; accepted is {_ACCEPTED}")
    return number


def _meant(name: str) -> Iterator[str]:
    """The beginnings of the names of the layers that a block's name means."""
    yield from NAMES.get(name) or (f"{denoiser}.{name}" for denoiser in DENOISERS)


def _is_of_unets(name: str) -> bool:
    """Whether a name means blocks that UNets alone have."""
    meant = NAMES.get(name)
    return all(place.startswith("unet") for place in meant) if meant else not _OF_TRANSFORMERS.fullmatch(name)
