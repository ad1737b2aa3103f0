"""What commands refuse before they load what takes seconds: files that are not there, folders without ``--all``."""

from __future__ import annotations

from pathlib import Path

from lorarar.util.errors import AdapterError, MethodError
from lorarar.util.files import missing


def check_there(*loras: Path) -> None:
    """Refuse LoRAs of which there is nothing, and what is neither a file nor a folder: a pipe may never end.

    Raises:
        AdapterError: there is none at a place; the message says which names there are near.
    """
    for path in loras:
        if not path.is_file() and not path.is_dir():
            raise AdapterError(missing(path))


def check_single(*loras: Path) -> None:
    """Refuse folders of several LoRAs where single ones are merged.

    Raises:
        MethodError: one is a folder of LoRA files, and no LoRA itself; the message says how all of them are merged.
    """
    for path in loras:
        if path.is_dir() and not any(path.glob("**/adapter_config.json")):
            files = sorted(one.name for one in path.glob("*.safetensors"))
            if files and not files[0].startswith("pytorch_lora_weights"):
                raise MethodError(
                    f"{path} is a folder of LoRAs, like {files[0]}; --all merges every content of one folder with "
                    "every style of another, or name one file"
                )
