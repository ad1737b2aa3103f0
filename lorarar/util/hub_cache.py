"""Whether the hub's cache on this machine has a model, without asking the hub."""

from __future__ import annotations

import json
import re
from pathlib import Path

WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")
INDICES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")  # of weights in several files
_PART = re.compile(r"-\d{5}-of-\d{5}\.")


def is_cached(repository: str, revision: str | None = None) -> bool:
    """Whether a revision's configuration is here, and all of its weights."""
    config = cached_file(repository, "config.json", revision)
    if config is None:
        return False
    folder = config.parent
    indices = [folder / name for name in INDICES if (folder / name).is_file()]
    if indices:
        return any(all((folder / name).is_file() for name in _files(index)) for index in indices)
    return any(any(folder.glob(pattern)) for pattern in WEIGHTS)


def cached_file(repository: str, name: str, revision: str | None = None) -> Path | None:
    """A file of a repository in the cache; None where it is not there, or the hub has no repository of such a name."""
    from huggingface_hub import try_to_load_from_cache

    try:
        file = try_to_load_from_cache(repository, name, revision=revision)
    except ValueError:  # a name that the hub gives to nothing, such as the path of a folder that is gone
        return None
    return Path(file) if isinstance(file, str) else None


def has_weights(folder: Path) -> bool:
    """Whether the folder of a model, of diffusers or transformers, has all of its weights in some form."""
    files = [file.name for file in folder.glob("*") if file.suffix in (".safetensors", ".bin") and file.is_file()]
    if any(not _PART.search(name) for name in files):
        return True
    return any(_files(index) <= set(files) for index in folder.glob("*.index*.json"))


def _files(index: Path) -> set[str]:
    """The files that an index names; one that is never there where it cannot be read."""
    try:
        return set(map(str, json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())) or {"nothing"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {"nothing"}
