"""Where the tensors of an adapter lie, and the digest of them; no tensor is read, and torch is not loaded."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from lorarar.families.table import COMPONENTS
from lorarar.util.digest_memory import remembered_sha256
from lorarar.util.errors import AdapterError

CONFIG = "adapter_config.json"
WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
DIFFUSERS_WEIGHTS = (
    "pytorch_lora_weights.safetensors",
    "pytorch_lora_weights.bin",
)  # as its save_lora_weights names them


class AdapterFile(NamedTuple):
    """One tensor file of an adapter, and how its keys are to be read."""

    weights: Path
    component: str = "unet"  # whose layers they are where keys do not say; a UNet may be another denoiser too
    config: Path | None = None  # PEFT's configuration of them


def locate(path: Path) -> list[AdapterFile]:
    """Find the tensor files of an adapter: one, also in a folder of diffusers, or one for each component of PEFT's.

    Raises:
        AdapterError: a folder that is neither PEFT's nor diffusers'.
    """
    if path.name in WEIGHTS and path.with_name(CONFIG).is_file():
        return [_peft_file(path.parent, "unet")]
    if not path.is_dir():
        return [AdapterFile(path)]
    if (path / CONFIG).is_file():
        return [_peft_file(path, "unet")]
    files = [_peft_file(path / name, name) for name in COMPONENTS if (path / name / CONFIG).is_file()]
    if not files:
        files = [AdapterFile(path / name) for name in DIFFUSERS_WEIGHTS if (path / name).is_file()][:1]
    if not files:
        raise AdapterError(
            f"{path} is not a file, and no PEFT folder (it has no {CONFIG}, nor unet/ or transformer/), nor one "
            f"of diffusers (it has no {DIFFUSERS_WEIGHTS[0]})"
        )
    return files


def digest_of(path: Path) -> str:
    """Hex digest of an adapter: its file's, or of a folder that of its files' digests, sorted by path.

    Raises:
        AdapterError: a folder that is not PEFT's.
    """
    paths = sorted(part for file in locate(path) for part in (file.weights, file.config) if part)
    digests = [remembered_sha256(part) for part in paths]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _peft_file(folder: Path, component: str) -> AdapterFile:
    weights = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if weights is None:
        raise AdapterError(f"{folder} has {CONFIG} but no weights; accepted are {' and '.join(WEIGHTS)}")
    return AdapterFile(weights, component, folder / CONFIG)
