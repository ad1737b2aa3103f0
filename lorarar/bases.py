"""Base models by name, folder or hub id.

Nothing here imports torch or diffusers before a model is really loaded. Only the standard pipeline
class is ever loaded: no remote code, no custom pipeline.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lorarar.errors import BaseError, reason

if TYPE_CHECKING:
    import torch
    from diffusers import StableDiffusionXLPipeline


@dataclass(frozen=True)
class Base:
    """A base model: what the user called it, where its weights are, and what of its own comes with it."""

    name: str
    location: str  # a folder or a hub id
    revision: str | None = None
    hypernet: Path | None = None
    contents: Path | None = None  # folders of its own concepts
    styles: Path | None = None

    @property
    def folder(self) -> Path | None:
        """The model's folder, if it lies on this machine as one."""
        return Path(self.location) if Path(self.location).is_dir() else None


def _pocket() -> Base:
    from lorarar.pocket import shipped

    return Base("pocket", str(shipped.BASE), shipped.revision(), shipped.HYPERNET, shipped.CONTENTS, shipped.STYLES)


def _sdxl() -> Base:
    return Base("sdxl", "stabilityai/stable-diffusion-xl-base-1.0")


#: Names a user can give instead of a folder or hub id.
KNOWN: dict[str, Callable[[], Base]] = {"pocket": _pocket, "sdxl": _sdxl}


def find_base(name: str) -> Base:
    """The base of that name, folder or hub id; a revision may follow a hub id after ``@``.

    Raises:
        BaseError: neither a known name, nor a pipeline folder, nor of the form OWNER/NAME.
    """
    if name in KNOWN:
        return KNOWN[name]()
    path = Path(name)
    if name and path.is_dir():
        if not (path / "model_index.json").is_file():
            raise BaseError(f"{name} is no pipeline folder: model_index.json is missing")
        return Base(name, str(path))
    owner, slash, rest = name.partition("/")
    if not slash or not owner or not rest or rest.count("/") or name.startswith((".", "~")):
        raise BaseError(
            f"{name!r} is neither {' nor '.join(KNOWN)}, nor a pipeline folder, nor a hub id like OWNER/NAME"
        )
    repository, _, revision = name.partition("@")
    return Base(name, repository, revision or None)


def load_pipeline(base: Base, device: str | None = None, dtype: torch.dtype | None = None) -> StableDiffusionXLPipeline:
    """The base as a ``StableDiffusionXLPipeline`` on a device (by default a GPU if there is one).

    Raises:
        BaseError: the model cannot be found or loaded.
    """
    import torch
    from diffusers import StableDiffusionXLPipeline
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    for logging in (diffusers_logging, transformers_logging):
        logging.disable_progress_bar()
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = dtype or (torch.float16 if device.startswith("cuda") else torch.float32)
    try:
        pipeline = StableDiffusionXLPipeline.from_pretrained(
            base.location, revision=base.revision, dtype=dtype, add_watermarker=False
        )
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise BaseError(f"cannot load {base.name} as an SDXL pipeline: {reason(error)}") from None
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def unet_shapes(base: Base) -> dict[str, tuple[int, ...]] | None:
    """Shapes of the UNet's weights by adapter layer name, from file headers alone.

    None where the weights are not in a local folder: then an adapter cannot be checked against them.
    """
    if base.folder is None:
        return None
    shapes: dict[str, tuple[int, ...]] = {}
    for file in sorted((base.folder / "unet").glob("*.safetensors")):
        for key, entry in _header(file).items():
            if key.endswith(".weight"):
                shapes[f"unet.{key.removesuffix('.weight')}"] = tuple(entry["shape"])
    return shapes or None


def _header(path: Path) -> dict[str, dict[str, list[int]]]:
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header: dict[str, dict[str, list[int]]] = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return header
