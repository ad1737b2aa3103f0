"""What a LoRA is for: the base it is made for, whether it is one for few steps, and whether it fits a base."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lorarar.families import Base
from lorarar.lora.base_layers import layers_of
from lorarar.lora.few_steps import few_steps
from lorarar.lora.fit import misfits, summary
from lorarar.lora.foreign_bases import Shapes
from lorarar.lora.made_for import made_for


@dataclass(frozen=True)
class Purpose:
    """What a LoRA is for, as ``lorarar inspect`` says it."""

    made_for: list[str]  # bases as people write them: several where the weights leave it open, none where nothing tells
    declared: str | None  # the base that its header says
    few_steps: str | None  # what tells that it is a Turbo, LCM, Lightning … LoRA
    base: str | None = None  # that it was compared with
    misfit: str | None = None  # why it does not fit that base; None where it fits, or nothing of the base is known


def purpose_of(
    path: Path, layers: Shapes, tensors: Shapes, metadata: Mapping[str, str], base: Base | None = None
) -> Purpose:
    """Recognise what a LoRA is for.

    Args:
        path: of its file or folder.
        layers: the shapes of its updates by layer, as far as it can be read.
        tensors: the shapes of its file's tensors by key.
        metadata: of its file's header.
        base: to be compared with.

    Raises:
        BaseError: a file of the base is broken.
    """
    origin = made_for(layers, tensors, metadata)
    kind = few_steps(metadata, path, layers)
    found = misfits(layers, base, layers_of(base)) if base else []
    return Purpose(
        made_for=list(origin.titles),
        declared=origin.declared,
        few_steps=str(kind) if kind else None,
        base=base.name if base else None,
        misfit=summary(found, layers) if found else None,
    )
