"""Where what describes a LoRA lies beside it: the pictures it was trained on, and a text."""

from __future__ import annotations

from pathlib import Path

from lorarar.lora.names import lora_name


def references_folder(lora: Path) -> Path:
    """The folder of a LoRA's reference pictures: the one of its name, beside it."""
    return lora.with_name(lora_name(lora)) if lora.name else lora


def side_file(lora: Path) -> Path:
    """The text that describes a LoRA: the one of its name, beside it."""
    return lora.with_name(f"{lora_name(lora)}.txt") if lora.name else lora
