"""Names of models, the same everywhere: a name in a registry, a folder, or an id on the hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class HubId:
    """A repository of the hub, at a commit, branch or tag where one is named."""

    repository: str  # OWNER/NAME
    revision: str | None = None


def find_model(name: str, registry: Mapping[str, Callable[[], T]]) -> T | Path | HubId | None:
    """Find the model that a name stands for: in the registry, as a folder, or as a hub id ``OWNER/NAME[@REVISION]``.

    Returns:
        What the registry opens, the folder, or the hub id; None for any other name.
    """
    if name in registry:
        return registry[name]()
    if name and Path(name).is_dir():
        return Path(name)
    repository, _, revision = name.partition("@")
    owner, _, rest = repository.partition("/")
    if not owner or not rest or "/" in rest or name.startswith((".", "~")):
        return None
    return HubId(repository, revision or None)
