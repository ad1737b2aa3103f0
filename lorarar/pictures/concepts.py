"""Concepts: a LoRA with the pictures and the prompt it was trained on.

A folder of concepts holds ``NAME.safetensors`` and ``NAME/`` with its pictures, for each concept; the
prompt stands in the LoRA's header, where ``lorarar train lora`` writes it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from lorarar.lora.adapter import Adapter
from lorarar.lora.files import read_adapter
from lorarar.lora.folders import find_loras
from lorarar.pictures.references import references_of
from lorarar.util.errors import AdapterError


@dataclass(frozen=True)
class Concept:
    """One content or style: its LoRA, its pictures, its prompt."""

    name: str
    adapter: Adapter
    images: tuple[Path, ...]
    prompt: str
    path: Path = Path()  # the LoRA's file


def read_concept(lora: Path) -> Concept:
    """The concept of a LoRA file, its pictures in the folder of the same name beside it.

    Raises:
        AdapterError: the LoRA cannot be read, or its header has no prompt.
        ImageError: there are no pictures.
    """
    return concept_of(read_adapter(lora), lora)


def concept_of(adapter: Adapter, lora: Path) -> Concept:
    """The concept of an adapter that was read from the file ``lora``.

    Raises:
        AdapterError: its header has no prompt.
        ImageError: there are no pictures.
    """
    references = references_of(lora, adapter.provenance)
    return Concept(name=lora.stem, adapter=adapter, images=references.images, prompt=references.prompt, path=lora)


def read_concepts(folder: Path, names: Collection[str] | None = None) -> list[Concept]:
    """All concepts of a folder by name, or those of ``names`` alone.

    Raises:
        AdapterError: there are none, or a name is unknown (the message lists those there are).
    """
    files = {path.stem: path for path in find_loras(folder) if path.suffix.lower() == ".safetensors"}
    unknown = sorted(set(names or ()) - set(files))
    if unknown or not files:
        raise AdapterError(f"{folder} has no LoRA {', '.join(unknown)}; it has: {', '.join(files) or 'none'}")
    return [read_concept(path) for name, path in files.items() if names is None or name in names]
