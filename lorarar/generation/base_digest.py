"""Which weights a base has: a digest of its files, or the commit of the hub that they come from.

A name says nothing of it: a folder's files can be replaced, and a branch moves. No file is downloaded for a digest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lorarar.families import Base
from lorarar.families.table import INDEX
from lorarar.util.digest import digest_of_facts
from lorarar.util.digest_memory import bytes_to_read, remembered_sha256
from lorarar.util.errors import BaseError
from lorarar.util.progress import Ticker

WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt")
CONFIGS = (".json", ".txt", ".model")  # of models, schedulers and tokenizers
MANY_BYTES = 256 << 20  # from here on reading takes long enough to show its progress
HUB_SECONDS = 10.0  # for which an answer of the hub is waited for
_COMMIT = re.compile(r"[0-9a-f]{40}")


def base_digest(base: Base) -> str:
    """The digest of all files that decide what a base computes; of a hub's, the commit.

    Raises:
        BaseError: a file cannot be read, or the hub's commit cannot be found out.
    """
    place = Path(base.location)
    try:
        if place.is_dir():
            files = pipeline_files(place)
            names = [file.relative_to(place).as_posix() for file in files]
            return digest_of_facts(dict(zip(names, _digests(files, base.name), strict=True)))
    except OSError as error:
        raise BaseError(f"cannot read {base.name}: {error}") from None
    return _commit(base)


def pinned(base: Base) -> Base:
    """The base at the commit that its revision means now, so that what is loaded is what its digest says.

    Raises:
        BaseError: the hub's commit cannot be found out.
    """
    return base if Path(base.location).exists() else replace(base, revision=_commit(base))


def pipeline_files(folder: Path) -> list[Path]:
    """The weights and configurations of a pipeline folder's components, in order.

    Raises:
        OSError: the folder cannot be read.
    """
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except ValueError:
        index = {}
    parts = [name for name, value in index.items() if isinstance(value, list)] if isinstance(index, dict) else []
    parts = [name for name in parts if Path(name).name == name not in ("", "..")]  # folders beside the index alone
    files = [
        file
        for part in parts
        for file in (folder / part).rglob("*")
        if file.suffix.lower() in (*WEIGHTS, *CONFIGS) and file.is_file()
    ]
    return [folder / INDEX, *sorted(files)]


def _digests(files: Sequence[Path], name: str) -> list[str]:
    """The files' digests; those that are not remembered are read, with progress where they are large."""
    unread = sum(map(bytes_to_read, files))
    with Ticker(f"digest of {name}, MB", unread >> 20, show=unread > MANY_BYTES) as ticker:
        counted = 0

        def count(size: int) -> None:
            nonlocal counted
            before, counted = counted, counted + size
            if counted >> 20 > before >> 20:
                ticker.advance((counted >> 20) - (before >> 20))

        return [remembered_sha256(file, count) for file in files]


def _commit(base: Base) -> str:
    """The commit of a base of the hub: as the hub says, else as the cache on this machine has it.

    Raises:
        BaseError: neither knows it.
    """
    if base.revision and _COMMIT.fullmatch(base.revision):
        return base.revision
    commit = _commit_of_hub(base) or _commit_of_cache(base)
    if commit is None:
        raise BaseError(f"{base.name} is neither on the hub nor on this machine, or the hub cannot be reached")
    return commit


def _commit_of_hub(base: Base) -> str | None:
    from huggingface_hub import HfApi

    try:
        return HfApi().model_info(base.location, revision=base.revision, timeout=HUB_SECONDS).sha
    except Exception:  # no network, no such repository, offline mode: the cache may know it
        return None


def _commit_of_cache(base: Base) -> str | None:
    from huggingface_hub import try_to_load_from_cache

    file = try_to_load_from_cache(base.location, INDEX, revision=base.revision)
    return Path(file).parent.name if isinstance(file, str) else None
