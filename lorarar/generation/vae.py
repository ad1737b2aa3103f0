"""Another VAE than a base's own: from one file, a folder, or the hub."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from pkgutil import resolve_name
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from lorarar.families import Base, family_of
from lorarar.families.table import INDEX
from lorarar.generation.autoencoders.table import autoencoder_kind
from lorarar.generation.denoisers.table import denoiser_of, kind_of
from lorarar.util.errors import BaseError, reason
from lorarar.util.model_reference import HubId, find_model
from lorarar.util.out_of_memory import is_out_of_memory

if TYPE_CHECKING:
    import torch

VAE = "vae"  # the component's name, and its folder in a pipeline's


def load_vae(base: Base, dtype: torch.dtype) -> Any:
    """The VAE that a base names beside its own, in this dtype.

    Raises:
        BaseError: it cannot be found or loaded.
    """
    kind, place = _vae_class(base), str(base.vae)
    try:
        if Path(place).is_file():
            return _from_file(base, Path(place), dtype)
        model = find_model(place, {})
        if isinstance(model, HubId):
            source, where = model.repository, {"revision": model.revision}
        else:
            source, where = place, {"subfolder": VAE if (Path(place) / INDEX).is_file() else None}
        _check_class(base, kind.load_config(source, **where).get("_class_name"))
        return kind.from_pretrained(source, dtype=dtype, **where)
    except (OSError, ValueError, TypeError, AttributeError, KeyError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise
        raise BaseError(f"cannot load {place} as the VAE of {base.name}: {reason(error)}") from None


def check_vae(base: Base, pipeline: Any) -> None:
    """Refuse a VAE whose latents are not what the denoiser makes.

    Raises:
        BaseError: the message says how many channels both have.
    """
    denoiser = denoiser_of(pipeline)
    ours = autoencoder_kind(pipeline.vae).channels(pipeline.vae)
    theirs = kind_of(denoiser).channels(denoiser)
    if ours != theirs:
        raise BaseError(
            f"{base.vae} makes latents of {ours} channels, {base.name} of {theirs}: it is another model's VAE"
        )


def _check_class(base: Base, name: str | None) -> None:
    """Refuse a VAE of another class than the base's, whose weights would be said to be missing one by one.

    Raises:
        BaseError: the message says both.
    """
    own = _vae_class(base).__name__
    if name not in (None, own):
        raise BaseError(f"{base.vae} is an {name}, and {base.name} takes an {own}: it is another model's VAE")


def _from_file(base: Base, file: Path, dtype: torch.dtype) -> Any:
    """The VAE of a file, of whose configuration it says nothing: it is taken to be that of the base's own.

    Raises:
        BaseError: its weights are others, or have names that are not read.
    """
    from diffusers.loaders.single_file_model import SINGLE_FILE_LOADABLE_CLASSES

    kind, config = _vae_class(base), _own_config(base)
    converts = kind.__name__ in SINGLE_FILE_LOADABLE_CLASSES
    try:
        return (_converted if converts else _as_named)(kind, config, file, dtype)
    except Exception as error:  # of weights that are missing or of other shapes, each in a way of its own
        if is_out_of_memory(error):
            raise
        only = "" if converts else f", or not in diffusers' names, in which alone a file of {kind.__name__} is taken"
        raise BaseError(f"{file} is no VAE of {base.name}: its weights are others{only}") from None


def _converted(kind: Any, config: Mapping[str, Any], file: Path, dtype: torch.dtype) -> Any:
    """The VAE of a file in the original names or in diffusers', by diffusers' converter for its class."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "config.json").write_text(json.dumps(config))
        return kind.from_single_file(str(file), config=folder, dtype=dtype, local_files_only=True)


def _as_named(kind: Any, config: Mapping[str, Any], file: Path, dtype: torch.dtype) -> Any:
    """The VAE of a file in diffusers' names, of a class for which diffusers has no converter."""
    from safetensors.torch import load_file

    vae = kind.from_config(config)
    vae.load_state_dict(load_file(file))
    return vae.to(dtype).eval()


def _vae_class(base: Base) -> Any:
    """The class of a base's VAE: its family's, Stable Diffusion's where that says none."""
    architecture = family_of(base).architecture
    own = architecture.components.get(VAE) if architecture else None
    return resolve_name(own.kind if own else "diffusers:AutoencoderKL")


def _own_config(base: Base) -> dict[str, Any]:
    """The configuration of the VAE that a base has itself.

    Raises:
        BaseError: neither its folder nor its family says it.
    """
    if base.folder:
        config: dict[str, Any] = json.loads((base.folder / VAE / "config.json").read_text(encoding="utf-8"))
        return config
    architecture = family_of(base).architecture
    if architecture is None or VAE not in architecture.components:
        raise BaseError(f"the VAE of {base.name} is not known; name one that is a folder or a hub id")
    return dict(architecture.components[VAE].config)
