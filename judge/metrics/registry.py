"""Backbones by name, folder or hub id.

Nothing here imports torch before a model is really loaded, which is when something is to be computed that is not
cached yet; no remote code is ever run. A hub id is pinned to its commit before anything is read, so that an identity
is of one state; a model whose weights are not all there is refused, since what is missing would be drawn at random.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from judge.hub_models import HubModel
from judge.metrics.table import BackboneKind, MetricError, backbone_kinds
from lorarar.families import families_with
from lorarar.util.digest_memory import remembered_digests
from lorarar.util.dtype import Dtype
from lorarar.util.errors import reason
from lorarar.util.model_reference import HubId, find_model

if TYPE_CHECKING:
    from transformers import (
        CLIPModel,
        CLIPTokenizer,
        Dinov2Model,
        PreTrainedConfig,
        PreTrainedModel,
        ViTModel,
    )

    from judge.metrics.backbone import Backbone, Clip, Dino, Identity, Preprocessing


ACCEPTED: Mapping[str, tuple[str, ...]] = {"clip": ("clip",), "dino": ("vit", "dinov2")}  # model types

STEPS = ("do_resize", "do_center_crop", "do_rescale", "do_normalize")
#: What transformers takes where a CLIP's image processor is silent.
SILENT: Mapping[str, Any] = {
    **dict.fromkeys(STEPS, True),
    "size": 224,
    "crop_size": 224,
    "resample": 3,
    "image_mean": (0.48145466, 0.4578275, 0.40821073),
    "image_std": (0.26862954, 0.26130258, 0.27577711),
}

#: What loading raises; AssertionError: a device that this torch was not built for.
FAULTS = (OSError, ValueError, TypeError, AttributeError, KeyError, RuntimeError, AssertionError)
_FILES = (".json", ".txt", ".safetensors", ".bin")  # of a folder, those a model is loaded from


@dataclass(frozen=True)
class _Source:
    """A place that a model is loaded from."""

    name: str  # as recorded
    location: str  # a folder or a hub id
    revision: str  # a commit, or the digest of a folder's files
    at: Mapping[str, str]  # what pins a hub id

    def load(self, kind: type[PreTrainedModel], dtype: Dtype, device: str | None, **options: Any) -> PreTrainedModel:
        """The model on its device, by default a GPU if there is one.

        Raises:
            MetricError: it cannot be loaded, or lacks weights.
        """
        import torch

        with _loading(self.name), _quiet():
            model, info = kind.from_pretrained(
                self.location, dtype=getattr(torch, dtype), output_loading_info=True, **self.at, **options
            )
            model.to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        if missing := sorted(info["missing_keys"]):
            raise MetricError(f"{self.name} lacks {len(missing)} weights, {missing[0]} among them")
        return model.eval()

    def identity(self, preprocessing: Preprocessing, dtype: Dtype) -> Identity:
        from importlib.metadata import version

        from judge.metrics.backbone import Identity

        return Identity(
            name=self.name,
            revision=self.revision,
            preprocessing=preprocessing,
            dtype=dtype,
            version=f"transformers {version('transformers')}",
        )


def find_backbone(kind: str, name: str | None = None, device: str | None = None, dtype: Dtype = "float32") -> Backbone:
    """The backbone of that name, folder or hub id, by default the customary one; ``pocket`` is Pocket's own.

    A revision may follow a hub id after ``@``; the device is by default a GPU if there is one. Weights are loaded
    when the first vector is asked for.

    Raises:
        MetricError: it cannot be found, or is of another kind.
    """
    from transformers import AutoConfig

    name = name or backbone_kinds()[kind].customary
    with _loading(f"{name} as a {kind} backbone"):
        source = _source(kind, name)
        config = AutoConfig.from_pretrained(source.location, trust_remote_code=False, **source.at)
        if config.model_type not in ACCEPTED[kind]:
            accepted = ", ".join(ACCEPTED[kind])
            raise MetricError(f"{name} is a model of type {config.model_type}; accepted for {kind} are: {accepted}")
        return _clip(source, config, dtype, device) if kind == "clip" else _dino(source, config, dtype, device)


def hub_model(kind: BackboneKind, name: str) -> HubModel | None:
    """Where a backbone on the hub comes from; None where it is elsewhere, or its kind finds its models itself."""
    place = find_model(name, own_backbones(kind.name))
    if not isinstance(place, HubId) or kind.find != BackboneKind.find:
        return None
    gigabytes = kind.gigabytes if name == kind.customary else 0
    return HubModel(kind.name, name, place.repository, place.revision, gigabytes)


def own_backbones(kind: str) -> dict[str, Callable[[], Path]]:
    """The folders of the families' own backbones of a kind, by the family's name, each found when it is asked for."""
    return {name: partial(family.find, kind) for name, family in families_with(kind).items()}


def _source(kind: str, name: str) -> _Source:
    from transformers.utils import cached_file

    families = own_backbones(kind)
    place: Path | HubId | None = find_model(name, families)
    if place is None:
        raise MetricError(
            f"{name!r} is neither {' nor '.join(families)}, nor a model folder, nor a hub id like OWNER/NAME"
        )
    if isinstance(place, Path):
        if not (place / "config.json").is_file():
            raise MetricError(f"{name} is not a model folder: config.json is missing")
        return _Source(name if name in families else place.resolve().name, str(place), _digest(place), {})
    # a hub's file lies in its cache under .../snapshots/COMMIT/
    commit = Path(cached_file(place.repository, "config.json", revision=place.revision)).parent.name
    return _Source(place.repository, place.repository, commit, {"revision": commit})


def _clip(source: _Source, config: PreTrainedConfig, dtype: Dtype, device: str | None) -> Clip:
    from transformers.image_processing_base import ImageProcessingMixin  # the processor itself takes long to import

    from judge.metrics.backbone import Clip
    from judge.metrics.tokenizer_fit import check_tokenizer

    def model() -> CLIPModel:
        from transformers import CLIPModel

        return source.load(CLIPModel, dtype, device)

    def words() -> CLIPTokenizer:
        from transformers import CLIPTokenizer

        with _loading(source.name):
            tokenizer = CLIPTokenizer.from_pretrained(source.location, **source.at)
            check_tokenizer(tokenizer, config.text_config)
            return tokenizer

    processor, _ = ImageProcessingMixin.get_image_processor_dict(source.location, **source.at)
    return Clip(source.identity(_preprocessing({**SILENT, **processor}), dtype), model, words)


def _dino(source: _Source, config: PreTrainedConfig, dtype: Dtype, device: str | None) -> Dino:
    from judge.metrics.backbone import Dino, imagenet

    def model() -> ViTModel | Dinov2Model:
        from transformers import Dinov2Model, ViTModel

        if config.model_type == "vit":  # published without a pooler, and its class token is taken before any
            return source.load(ViTModel, dtype, device, add_pooling_layer=False)
        return source.load(Dinov2Model, dtype, device)

    side = config.image_size if isinstance(config.image_size, int) else config.image_size[0]
    return Dino(source.identity(imagenet(side), dtype), model)


def _preprocessing(processor: Mapping[str, Any]) -> Preprocessing:
    """The preprocessing that a CLIP's own image processor states.

    Raises:
        ValueError: it does something else than resize, cut and normalise.
    """
    from PIL import Image

    from judge.metrics.backbone import Preprocessing

    size, crop = processor["size"], processor["crop_size"]  # numbers in files of old
    resize = size if isinstance(size, int) else size.get("shortest_edge")
    height, width = (crop, crop) if isinstance(crop, int) else (crop["height"], crop["width"])
    if not all(processor[step] for step in STEPS) or not resize or height != width:
        raise ValueError("its image processor does not resize the shorter side, cut out a square and normalise")
    return Preprocessing(
        resize=resize,
        crop=height,
        mean=tuple(processor["image_mean"]),
        deviation=tuple(processor["image_std"]),
        filter=Image.Resampling(processor["resample"]).name.lower(),
    )


@contextmanager
def _loading(what: str) -> Iterator[None]:
    """Another library's error about a model that cannot be loaded, as one line."""
    from safetensors import SafetensorError

    try:
        yield
    except (*FAULTS, SafetensorError) as error:
        raise MetricError(f"cannot load {what}: {reason(error)}") from None


@contextmanager
def _quiet() -> Iterator[None]:
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
