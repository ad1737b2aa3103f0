"""Where a backbone's files come from: a family's own folder, a folder or file of one's own, or the hub.

Nothing here imports torch before a model is really loaded; no remote code is ever run. A hub id is pinned to its commit
before anything is read, so that an identity is of one state; a model whose weights are not all there is refused, since
what is missing would be drawn at random.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from judge.backbone_kind import BackboneKind
from judge.metrics.table import MetricError
from lorarar.families import families_with
from lorarar.util.digest_memory import remembered_digests
from lorarar.util.dtype import Dtype
from lorarar.util.errors import reason
from lorarar.util.model_reference import HubId, find_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from judge.metrics.backbone import Identity
    from judge.metrics.preprocessing import Patches, Preprocessing, Stretch

M = TypeVar("M", bound="PreTrainedModel")

#: What loading raises; AssertionError: a device that this torch was not built for.
FAULTS = (OSError, ValueError, TypeError, AttributeError, KeyError, RuntimeError, AssertionError, ImportError)
CONFIG = "config.json"
_FILES = (".json", ".txt", ".safetensors", ".bin")  # of a folder, those a model is loaded from


@dataclass(frozen=True)
class ModelTarget:
    """How a model is to be loaded: in which precision, and where to; by default to a GPU if there is one."""

    dtype: Dtype = "float32"
    device: str | None = None

    def place(self, model: M) -> M:
        """The model, ready to be used, on its device."""
        import torch

        model.to(self.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        model.eval()
        return model


@dataclass(frozen=True)
class ModelSource:
    """A place that a model is loaded from."""

    name: str  # as recorded
    location: str  # a folder or a hub id
    revision: str  # a commit, or the digest of the files
    at: Mapping[str, str]  # what pins a hub id
    weights: Path | None = None  # the one file, of a kind that is published as weights alone

    def load(self, kind: type[M], target: ModelTarget, **options: Any) -> M:
        """The model on its device.

        Raises:
            MetricError: it cannot be loaded, or lacks weights.
        """
        import torch

        with loading(self.name), quiet():
            model, info = kind.from_pretrained(
                self.location, dtype=getattr(torch, target.dtype), output_loading_info=True, **self.at, **options
            )
            target.place(model)
        if missing := sorted(info["missing_keys"]):
            raise MetricError(f"{self.name} lacks {len(missing)} weights, {missing[0]} among them")
        loaded: M = model
        return loaded

    def image_processor(self) -> dict[str, Any]:
        """What the file of its image processor says."""
        from transformers.image_processing_base import ImageProcessingMixin  # the processor itself is slow to import

        processor, _ = ImageProcessingMixin.get_image_processor_dict(self.location, **self.at)
        return dict(processor)

    def file(self, name: str) -> Path | None:
        """A file of the model; None where it has none of that name."""
        if not self.at:
            path = Path(self.location) / name
            return path if path.is_file() else None
        return _hub_file(HubId(self.location, self.revision), name)

    def identity(self, preprocessing: Preprocessing | Stretch | Patches, target: ModelTarget) -> Identity:
        """What decides the vectors of a backbone from here."""
        from importlib.metadata import version

        from judge.metrics.backbone import Identity

        return Identity(
            name=self.name,
            revision=self.revision,
            preprocessing=preprocessing,
            dtype=target.dtype,
            version=f"transformers {version('transformers')}",
        )


def find_source(kind: BackboneKind, name: str) -> ModelSource:
    """The source that a backbone's name stands for.

    Raises:
        MetricError: there is none.
        OSError: the hub has none, or cannot be reached.
    """
    families = own_backbones(kind.name)
    if kind.weights and Path(name).is_file():
        return _of_weights("/".join(Path(name).resolve().parts[-2:]), Path(name))
    place: Path | HubId | None = find_model(name, families)
    if place is None:
        others = "".join(f"{family}, nor " for family in families)
        raise MetricError(
            f"{name!r} is neither {others}{'a file of weights, nor ' if kind.weights else ''}a model folder, "
            "nor a hub id like OWNER/NAME"
        )
    if isinstance(place, Path):
        return _of_folder(kind, name if name in families else place.resolve().name, place)
    return _of_hub(kind, place)


def own_backbones(kind: str) -> dict[str, Callable[[], Path]]:
    """The folders of the families' own backbones of a kind, by the family's name, each found when it is asked for."""
    return {name: partial(family.find, kind) for name, family in families_with(kind).items()}


def _of_folder(kind: BackboneKind, name: str, folder: Path) -> ModelSource:
    if kind.weights:
        files = [folder / file for file in kind.weights if (folder / file).is_file()]
        if not files:
            raise MetricError(f"{name} has none of {', '.join(kind.weights)}; a file of another name is named itself")
        return _of_weights(name, files[0])
    if not (folder / CONFIG).is_file():
        raise MetricError(f"{name} is not a model folder: {CONFIG} is missing")
    return ModelSource(name, str(folder), _digest(folder), {})


def _of_weights(name: str, file: Path) -> ModelSource:
    (digest,) = remembered_digests([file], name)
    return ModelSource(name, str(file.parent), digest[:12], {}, weights=file)


def _of_hub(kind: BackboneKind, place: HubId) -> ModelSource:
    """A repository of the hub at a commit, which a file's place in the hub's cache says: .../snapshots/COMMIT/."""
    for name in kind.weights or (CONFIG,):
        if (file := _hub_file(place, name, required=not kind.weights)) is not None:
            commit = file.parent.name
            weights = file if kind.weights else None
            return ModelSource(place.repository, place.repository, commit, {"revision": commit}, weights)
    raise MetricError(f"{place.repository} has none of {', '.join(kind.weights)}, or cannot be reached")


def _hub_file(place: HubId, name: str, *, required: bool = False) -> Path | None:
    """A file of the hub's, in its cache; None where there is none of that name here, nor in a repository in reach.

    Raises:
        OSError: the repository is not there; or a file that is ``required`` cannot be had.
    """
    from transformers.utils import cached_file

    file = cached_file(
        place.repository,
        name,
        revision=place.revision,
        _raise_exceptions_for_missing_entries=required,
        _raise_exceptions_for_connection_errors=required,
    )
    return None if file is None else Path(file)


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Another library's error about a model that cannot be loaded, as one line."""
    from safetensors import SafetensorError

    try:
        yield
    except (*FAULTS, SafetensorError) as error:
        raise MetricError(f"cannot load {what}: {reason(error)}") from None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from reporting what it loads: what matters of it is checked."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _digest(folder: Path) -> str:
    """A short digest of the files a model is loaded from."""
    files = sorted(path for path in folder.iterdir() if path.suffix in _FILES)
    digests = zip(files, remembered_digests(files, folder.name), strict=True)
    listed = "\n".join(f"{path.name} {digest}" for path, digest in digests)
    return hashlib.sha256(listed.encode()).hexdigest()[:12]
