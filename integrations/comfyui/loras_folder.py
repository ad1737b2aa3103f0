"""ComfyUI's LoRAs: which there are, where one lies, and where a new one goes."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import folder_paths

from lorarar.util.errors import AdapterError, OutputError

KIND = "loras"  # of ComfyUI's kinds of models
ENDING = ".safetensors"


def lora_names() -> list[str]:
    """The names of all LoRAs, as ComfyUI lists them: paths below its folders."""
    return list(folder_paths.get_filename_list(KIND))


def lora_path(name: str) -> Path:
    """Where the LoRA of that name lies.

    Raises:
        AdapterError: there is none.
    """
    path = folder_paths.get_full_path(KIND, name)
    if path is None:
        raise AdapterError(
            f"ComfyUI has no LoRA {name!r}; press R to read its folders anew, and choose one of the list"
        )
    return Path(path)


def new_place(name: str) -> Path:
    """Where a new LoRA of that name goes: into the first of ComfyUI's folders of LoRAs, or a folder in there.

    Args:
        name: of the file, with or without its ending; folders stand before it, with slashes.

    Raises:
        OutputError: it leads out of that folder, or is no name.
    """
    parts = PurePosixPath(name.strip().replace("\\", "/")).parts
    if not parts or any(part in ("/", "..") or ":" in part for part in parts):
        raise OutputError(f"save_as is {name!r}; accepted is a name below ComfyUI's folder of LoRAs, like merged/dog")
    path = Path(folder_paths.get_folder_paths(KIND)[0], *parts)
    return path if path.suffix.lower() == ENDING else path.with_name(path.name + ENDING)


def listed_name(path: Path) -> str:
    """A LoRA's name as ComfyUI lists it, of its place in the first of the folders."""
    return str(path.relative_to(folder_paths.get_folder_paths(KIND)[0]))
