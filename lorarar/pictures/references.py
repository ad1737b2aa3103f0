"""References: the pictures that a LoRA was trained on, and its prompt, found without reading the LoRA.

The pictures lie in the folder of its name; the prompt stands in its header, where
``lorarar train lora`` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorarar.pictures.images import find_images
from lorarar.util.errors import AdapterError


@dataclass(frozen=True)
class References:
    """The pictures and the prompt of a content or a style."""

    images: tuple[Path, ...]
    prompt: str


def references_folder(lora: Path) -> Path:
    """The folder of a LoRA's reference pictures: the one of its name, beside it."""
    return lora.with_suffix("")


def references_of(lora: Path, provenance: Mapping[str, Any]) -> References:
    """Find the references of a LoRA by the provenance in its header.

    Raises:
        AdapterError: it has no prompt.
        ImageError: there are no pictures.
    """
    prompt = provenance.get("prompt")
    if not isinstance(prompt, str):
        raise AdapterError(f"{lora} does not say its prompt; train it with lorarar train lora, which notes it")
    return References(tuple(find_images(references_folder(lora))), prompt)
