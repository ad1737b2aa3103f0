"""Tables of a base's layers: the name and the weight's shape of every layer that a LoRA can change.

A table is a text file. Each line stands for all layers of one shape whose names differ in the parts within braces,
which are ranges of numbers or words: ``unet.down_blocks.1.attentions.{0-1}.{proj_in,proj_out}: 640 640``. Neither torch
nor diffusers is needed to read one; ``lorarar.families.table_maker`` makes it of diffusers' classes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

Layers = Mapping[str, tuple[int, ...]]  # shapes of weights by layer: rows, columns and for convolutions the kernel

TABLES = Path(__file__).with_name("layers")  # of our own families

_Row = tuple[tuple[str, ...], ...]  # place by place what a name may have there
_BRACES = re.compile(r"\{([^}]*)\}")


@cache
def read_table(path: Path) -> Layers:
    """The layers of a table's file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(layer for line in lines for layer in _unfolded(line))


def table_text(layers: Layers) -> str:
    """The text of a table, as ``read_table`` takes it."""
    return "".join(f"{line}\n" for line in _folded(layers))


def layers_of_weights(component: str, shapes: Layers) -> Layers:
    """The layers of one model of a pipeline, from the names and shapes of its weights.

    Args:
        component: the model's name in the pipeline, before the names of its layers.
        shapes: of its weights, as its class or its file names them.
    """
    return {
        f"{component}.{_module(key)}": shape
        for key, shape in shapes.items()
        if key.endswith(".weight") and len(shape) > 1 and "embeddings." not in key
    }


def layers_of_model(component: str, model: Any) -> Layers:
    """The layers of one model of a pipeline that is built, with weights or on the meta device.

    Args:
        component: the model's name in the pipeline.
        model: a ``torch.nn.Module``.
    """
    return layers_of_weights(component, {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()})


def modules_of_model(component: str, model: Any) -> dict[str, Any]:
    """The modules of one model of a pipeline by the names that LoRAs have for them.

    Args:
        component: the model's name in the pipeline.
        model: a ``torch.nn.Module``.
    """
    return {f"{component}.{_module(name)}": module for name, module in model.named_modules()}


def _module(key: str) -> str:
    """The path of a weight's module, as LoRAs name it."""
    # transformers 5 took "text_model" out of one of the two text encoders, and LoRAs have it in both
    module = key.removesuffix(".weight")
    return f"text_model.{module}" if module.startswith("encoder.layers.") else module


def _unfolded(line: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    pattern, _, sizes = line.partition(": ")
    shape = tuple(map(int, sizes.split()))
    pieces = _BRACES.split(pattern)  # every second one was within braces
    for choice in product(*(_alternatives(text) if place % 2 else [text] for place, text in enumerate(pieces))):
        yield "".join(choice), shape


def _alternatives(text: str) -> list[str]:
    """``0-2`` is 0, 1 and 2; ``k,q,v`` is what stands between commas."""
    first, dash, last = text.partition("-")
    return [str(number) for number in range(int(first), int(last) + 1)] if dash else text.split(",")


def _folded(layers: Layers) -> list[str]:
    """Lines of names that are as alike as can be found place by place, from the last part of a name to the first."""
    rows: dict[_Row, tuple[int, ...]]
    rows = {tuple((part,) for part in name.split(".")): shape for name, shape in layers.items()}
    for place in reversed(range(max(map(len, rows), default=0))):
        alike: dict[object, list[_Row]] = {}
        for parts, shape in rows.items():
            alike.setdefault((len(parts), parts[:place], parts[place + 1 :], shape), []).append(parts)
        rows = {_joined(group, place): rows[group[0]] for group in alike.values()}
    return sorted(f"{'.'.join(map(_braced, parts))}: {' '.join(map(str, shape))}" for parts, shape in rows.items())


def _joined(group: list[_Row], place: int) -> _Row:
    """One row for those that differ at one place alone."""
    first = group[0]
    if place >= len(first):
        return first
    words = tuple(word for parts in group for word in parts[place])
    return (*first[:place], words, *first[place + 1 :])


def _braced(words: tuple[str, ...]) -> str:
    if len(words) == 1:
        return words[0]
    numbers = sorted(int(word) for word in words if word.isdecimal())
    if len(numbers) == len(words) and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        return f"{{{numbers[0]}-{numbers[-1]}}}"
    return f"{{{','.join(sorted(words))}}}"
