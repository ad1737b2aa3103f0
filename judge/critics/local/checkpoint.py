"""A critic's checkpoint: a folder, or a repository of the hub pinned to a commit.

Invariant: only settings and safetensors are fetched and read; a checkpoint that asks for code of its own is
refused before anything is loaded. Weights are fetched when they are first needed, so that a run whose
verdicts are all known needs none.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from judge.critics.critic import CriticError
from judge.critics.local.readers import ReaderKind, is_original, reader_of
from judge.critics.local.settings import ImageMode
from lorarar.util.digest_memory import remembered_digests
from lorarar.util.errors import reason
from lorarar.util.files import missing

CONFIGS = ("config.json", "preprocessor_config.json", "processor_config.json", "tokenizer_config.json")
SETTINGS = (
    *CONFIGS,
    "tokenizer.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "model.safetensors.index.json",
)
WEIGHTS = "model*.safetensors"
CODE = ("auto_map", "trust_remote_code", "custom_pipeline")


@dataclass(frozen=True)
class Checkpoint:
    """A critic's weights: their place, their revision and their settings."""

    name: str  # as the user calls it
    folder: Path
    revision: str  # a commit, or a digest of the files
    repository: str | None = None  # of the hub, where the weights come from when they are needed
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    image_mode: ImageMode = "anyres"  # how pictures are shown to it unless another mode is asked for

    @property
    def original(self) -> bool:
        """Whether it is of the ``llava_qwen`` kind, not transformers' own."""
        return is_original(self.config)

    @property
    def reader(self) -> ReaderKind:
        """What reads verdicts from it."""
        return reader_of(self.config)

    def fetch(self) -> Path:
        """Fetch what is missing and return the folder.

        Raises:
            CriticError: it cannot be fetched, holds no safetensors, or asks for code of its own.
        """
        if self.repository:
            _from_hub(self.repository, self.revision, [*SETTINGS, *self.reader.files, WEIGHTS])
        if not any(self.folder.glob(WEIGHTS)):
            raise CriticError(f"{self.folder} holds no weights; accepted are {WEIGHTS}")
        if (self.folder / "adapter_config.json").exists():
            raise CriticError(f"{self.folder} holds an adapter, whose base is elsewhere; merge it into its base first")
        own = (name for name in self.reader.files if name.endswith(".json"))
        for path in map(self.folder.joinpath, (*CONFIGS, *own)):
            if path.is_file() and (key := asks_for_code(read_json(path))):
                raise CriticError(f"{path} asks for code of its own ({key}), which is never run")
        return self.folder


def checkpoint_in(folder: Path, name: str | None = None, image_mode: ImageMode = "anyres") -> Checkpoint:
    """The checkpoint of a folder.

    Raises:
        CriticError: it holds no config.json of an accepted kind.
    """
    config = _config(folder)
    commit = re.fullmatch(r"[0-9a-f]{40}", folder.name) if folder.parent.name == "snapshots" else None
    return Checkpoint(
        name=name or folder.resolve().name,
        folder=folder,
        revision=folder.name if commit else _digest(folder, config),
        config=config,
        image_mode=image_mode,
    )


def checkpoint_from(repository: str, revision: str | None = None, name: str | None = None) -> Checkpoint:
    """The checkpoint of a repository of the hub, at a commit, branch or tag; the commit is what is kept.

    Raises:
        CriticError: it cannot be reached, or holds no config.json of an accepted kind.
    """
    folder = _from_hub(repository, revision, ["config.json"])
    return Checkpoint(
        name=name or repository,
        folder=folder,
        revision=folder.name,
        repository=repository,
        config=_config(folder),
    )


def asks_for_code(settings: object) -> str | None:
    """The key by which settings ask for code, at any depth; None where none does."""
    if isinstance(settings, dict):
        for key, value in settings.items():
            if (key in CODE and value) or (key := asks_for_code(value)):
                return str(key)
    if isinstance(settings, list):
        return next(filter(None, map(asks_for_code, settings)), None)
    return None


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object of a file.

    Raises:
        CriticError: it is missing, or not a JSON object.
    """
    try:
        value = json.loads(path.read_text())
    except FileNotFoundError:
        raise CriticError(missing(path)) from None
    except (OSError, ValueError, RecursionError) as error:
        raise CriticError(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(value, dict):
        raise CriticError(f"{path} is not a JSON object")
    return value


def _config(folder: Path) -> dict[str, Any]:
    config = read_json(folder / "config.json")
    if key := asks_for_code(config):
        raise CriticError(f"{folder / 'config.json'} asks for code of its own ({key}), which is never run")
    reader_of(config, folder / "config.json")
    return config


def _digest(folder: Path, config: Mapping[str, Any]) -> str:
    """A digest of all files that answers depend on; stale verdicts would cost more than reading 15 GB once."""
    towers = sorted(set(folder.rglob("config.json")) - {folder / "config.json"})
    kind = reader_of(config)
    files = (
        [folder / name for name in (*SETTINGS, *(kind.files if kind else ()))] + towers + sorted(folder.glob(WEIGHTS))
    )
    files = [path for path in files if path.is_file()]
    digests = zip(files, remembered_digests(files, folder.resolve().name), strict=True)
    listed = "\n".join(f"{path.relative_to(folder)} {digest}" for path, digest in digests)
    return f"sha256-{hashlib.sha256(listed.encode()).hexdigest()[:16]}"


def _from_hub(repository: str, revision: str | None, patterns: list[str]) -> Path:
    import httpx2
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import EntryNotFoundError, RevisionResolutionError

    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=patterns))
    except (OSError, ValueError, httpx2.HTTPError, EntryNotFoundError, RevisionResolutionError) as error:
        reference = f"{repository}@{revision}" if revision else repository
        raise CriticError(f"cannot fetch {reference} from the hub: {reason(error)}") from None
