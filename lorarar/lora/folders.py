"""Folders of LoRAs."""

from __future__ import annotations

from pathlib import Path

from lorarar.lora.locations import locate
from lorarar.lora.names import ENDINGS
from lorarar.util.errors import AdapterError
from lorarar.util.files import is_checkpoint


def find_loras(folder: Path) -> list[Path]:
    """Find the LoRAs of a folder, sorted by name: files of every kind, whatever the case of their ending, PEFT folders.

    Hidden files are passed over (macOS leaves one beside each on foreign disks), and so are checkpoints of trainings.
    """
    return sorted(path for path in folder.glob("[!.]*") if _is_lora(path))


def _is_lora(path: Path) -> bool:
    if path.is_dir():
        return _is_peft_folder(path)
    return path.suffix.lower() in ENDINGS and not is_checkpoint(path)


def _is_peft_folder(path: Path) -> bool:
    try:
        return bool(locate(path))
    except AdapterError:
        return False
