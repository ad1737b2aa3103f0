"""The one table of families, ours and those of other packages, and base models by name, folder, file or hub id."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast, get_args

from lorarar.families.architecture import Architecture, blueprint_of
from lorarar.families.checkpoint import read_checkpoint
from lorarar.families.family import Base, Family, Prediction
from lorarar.families.flux1 import FLUX1
from lorarar.families.flux2_klein import FLUX2_KLEIN, FLUX2_KLEIN_9B
from lorarar.families.layer_table import Layers, layers_of_weights, read_table
from lorarar.families.pocket import POCKET
from lorarar.families.qwen_image import QWEN_IMAGE
from lorarar.families.sd15 import SD15
from lorarar.families.sdxl import SDXL
from lorarar.families.small_sdxl import KOALA_700M, SSD_1B
from lorarar.families.z_image import Z_IMAGE
from lorarar.util.errors import BaseError
from lorarar.util.files import missing
from lorarar.util.hub_cache import cached_file
from lorarar.util.model_reference import HubId, find_model
from lorarar.util.registry import Registry
from lorarar.util.suggestion import did_you_mean
from lorarar.util.tensor_header import read_tensor_header

FAMILIES = Registry(
    "lorarar.families",
    Family,
    (POCKET, SDXL, SSD_1B, KOALA_700M, SD15, FLUX1, FLUX2_KLEIN, FLUX2_KLEIN_9B, QWEN_IMAGE, Z_IMAGE),
)
COMPONENTS = tuple(dict.fromkeys(name for family in FAMILIES.own.values() for name in family.modules.adapted))
DENOISERS = tuple(dict.fromkeys(family.modules.denoiser for family in FAMILIES.own.values()))
DEFAULT_BASE = POCKET.name  # of a command that names none
INDEX = "model_index.json"  # of a pipeline folder
CHECKPOINTS = (".safetensors", ".ckpt", ".pt", ".pth", ".bin")  # how the names of checkpoint files end


def families_with(part: str) -> dict[str, Family]:
    """The families that have a part, by name: ``critic``, ``ground_truth``, or a kind of backbone as ``clip``."""
    return {name: family for name, family in FAMILIES.items() if part in family.parts}


def family_of(base: Base) -> Family:
    """The family that a base is of: its own, else by how it is built, else by the class of its folder, else SDXL.

    Raises:
        BaseError: a file of it cannot be read.
    """
    return FAMILIES.get(base.name) or architecture_family(base) or _family_of_class(base)


def architecture_family(base: Base) -> Family | None:
    """The family whose architecture a base has, as its name or its files tell; None where neither does.

    Raises:
        BaseError: a file of it cannot be read.
    """
    built = [(family, family.architecture) for family in FAMILIES.values() if family.architecture]
    if base.folder or base.file:
        models = _models(base)
        return next((family for family, how in built if _is_built(how, family, models)), None)
    return next((family for family, _ in built if family.find_base().location == base.location), None)


def _is_built(architecture: Architecture, family: Family, models: Mapping[str, Layers]) -> bool:
    """Whether one of these models is a denoiser of an architecture: by its blueprint, or all its layers."""
    denoiser = family.modules.denoiser
    if not (shapes := models.get(denoiser)):
        return False
    if architecture.blueprint:
        return blueprint_of(shapes) == architecture.blueprint
    layers = read_table(architecture.layers) if architecture.layers else {}
    own = {layer: shape for layer, shape in layers.items() if layer.startswith(f"{denoiser}.")}
    return bool(own) and layers_of_weights(denoiser, shapes) == own


def _models(base: Base) -> dict[str, Layers]:
    """The shapes of a base's weights on this machine, by the denoiser's name; one file may hold whichever."""
    if base.file:
        return dict.fromkeys(DENOISERS, _shapes([base.file]))
    return {name: _shapes(sorted((base.folder or Path()).glob(f"{name}/*.safetensors"))) for name in DENOISERS}


def _shapes(files: Sequence[Path]) -> dict[str, tuple[int, ...]]:
    """The shapes of all weights in files, by name."""
    headers = (read_tensor_header(one, BaseError) for one in files)
    return {name: shape for header in headers for name, shape in header.shapes.items()}


def _family_of_class(base: Base) -> Family:
    """The first family whose class the index of a base names, SDXL before others; SDXL where it names none."""
    index = base.folder / INDEX if base.folder else cached_file(base.location, INDEX, base.revision)
    wanted = _class_in(index) if index else None
    alike = (family for family in FAMILIES.values() if family.pipeline.rpartition(":")[2] == wanted)
    return SDXL if wanted == SDXL.pipeline.rpartition(":")[2] else next(alike, SDXL)


def _class_in(file: Path) -> str | None:
    """The class that a pipeline's index names; None where it names none."""
    try:
        index = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return index.get("_class_name") if isinstance(index, dict) else None


def find_base(name: str, *, vae: str | None = None, prediction: str | None = None) -> Base:
    """Find the base of that name, folder, checkpoint file or hub id; a revision may follow a hub id after ``@``.

    Args:
        name: what ``--base`` says.
        vae: another VAE than the base's own: a file, a folder or a hub id.
        prediction: what the UNet predicts, ``epsilon`` or ``v``, where the base's files do not say it.

    Raises:
        BaseError: it is none of these, or is no base; the VAE or the prediction is none.
    """
    if prediction is not None and prediction not in get_args(Prediction):
        accepted = get_args(Prediction)
        near = did_you_mean(prediction, accepted)
        raise BaseError(f"--prediction is {prediction!r}; accepted are {', '.join(accepted)}{near}")
    if vae is not None:
        _check_vae(vae)
    base = FAMILIES[name].find_base() if name in FAMILIES else _elsewhere(name)
    base = replace(base, vae=vae, prediction=cast("Prediction | None", prediction))
    if base.file:
        _check_checkpoint(base, base.file)
    return base


def _elsewhere(name: str) -> Base:
    """The base of a folder, checkpoint file or hub id."""
    if Path(name).is_file():
        return Base(name, name)
    if Path(name).suffix.lower() in CHECKPOINTS and not Path(name).is_dir():
        raise BaseError(missing(Path(name)))
    model = find_model(name, {})
    if isinstance(model, HubId):
        return Base(name, model.repository, model.revision)
    if model is None:
        raise BaseError(
            f"{name!r} is neither {' nor '.join(FAMILIES)}, nor a pipeline folder, nor a checkpoint file, "
            f"nor a hub id like OWNER/NAME{did_you_mean(name, FAMILIES)}"
        )
    if not (model / INDEX).is_file():
        raise BaseError(f"{name} is no pipeline folder: {INDEX} is missing")
    return Base(name, str(model))


def _check_checkpoint(base: Base, file: Path) -> None:
    """Refuse a file that is no whole checkpoint of an architecture that a family has.

    Raises:
        BaseError: the message says what it is instead.
    """
    family = architecture_family(base)
    refusal = read_checkpoint(file).refusal(family.architecture if family else None, own_vae=base.vae is None)
    if refusal:
        titles = ", ".join(how.title for family in FAMILIES.values() if (how := family.architecture) and how.blueprint)
        raise BaseError(f"{file} is {refusal}; accepted as a base is a whole checkpoint of {titles}")


def _check_vae(vae: str) -> None:
    """Refuse what can be no VAE.

    Raises:
        BaseError: the message says what is accepted.
    """
    if Path(vae).is_file():
        read_tensor_header(Path(vae), BaseError)
    elif Path(vae).suffix.lower() in CHECKPOINTS or find_model(vae, {}) is None:
        raise BaseError(f"--vae is {vae!r}; accepted is a .safetensors file, a folder, or a hub id like OWNER/NAME")
