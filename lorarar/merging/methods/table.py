"""The one table of merge methods."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lorarar.lora.adapter import Adapter
from lorarar.merging.methods.columnwise import lorarar, ziplora
from lorarar.merging.methods.linear import direct
from lorarar.merging.methods.merge_inputs import MergeInputs, MergeResult
from lorarar.merging.methods.np_lora import np_lora
from lorarar.merging.methods.pruning import dare, dare_ties, ties
from lorarar.util.errors import MethodError
from lorarar.util.registry import Registry

Option = Literal["weights", "hypernet", "key_value", "density", "form", "mu", "coefficients"]
MergeFunction = Callable[[Adapter, Adapter, MergeInputs], MergeResult]


@dataclass(frozen=True)
class MethodInfo:
    """Name, title and paper of a way to get one adapter for a subject and a style."""

    name: str
    title: str
    paper: str


@dataclass(frozen=True)
class Method(MethodInfo):
    """One merge method: its function, the options it takes, and whether it takes long."""

    merge: MergeFunction
    takes: tuple[Option, ...] = ()
    dense: bool = False  # forms dense updates, one layer at a time: minutes at SDXL's size, not seconds


_PRUNING: tuple[Option, ...] = ("weights", "density", "form")

METHODS = Registry(
    "lorarar.methods",
    Method,
    (
        Method("direct", "Direct merge", "Wortsman et al., 2022", merge=direct, takes=("weights",)),
        Method("ties", "TIES", "Yadav et al., 2023", merge=ties, takes=_PRUNING, dense=True),
        Method("dare", "DARE", "Yu et al., 2024", merge=dare, takes=_PRUNING, dense=True),
        Method("dare-ties", "DARE-TIES", "Goddard et al., 2024", merge=dare_ties, takes=_PRUNING, dense=True),
        Method("np-lora", "NP-LoRA", "Chen et al., 2025", merge=np_lora, takes=("weights", "mu")),
        Method("ziplora", "ZipLoRA", "Shah et al., 2023", merge=ziplora, takes=("coefficients",)),
        Method("lorarar", "LoRA.rar", "Shenaj et al., 2024", merge=lorarar, takes=("hypernet", "key_value")),
    ),
)


def method_named(name: str) -> Method:
    """Find the method of that name.

    Raises:
        MethodError: no method has that name; the message lists all.
    """
    if name not in METHODS:
        raise MethodError(f"unknown method {name!r}; accepted are {', '.join(METHODS)}")
    return METHODS[name]
