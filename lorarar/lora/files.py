"""Adapters from and to files, and folders of PEFT.

What a file may hold is checked before it is used: a file is untrusted. Read is every dialect of
``lorarar.lora.dialects``; written is every layout of ``lorarar.lora.layouts``. A key that is not understood is an
error, never dropped. A folder is swapped in whole, but unlike a file there is a moment, between two
renames, in which neither the old nor the new one stands there.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lorarar.lora.adapter import Adapter, Factors, all_finite
from lorarar.lora.carried import carried_fields
from lorarar.lora.dialects import KeyRole, ParsedKeys, parse_keys
from lorarar.lora.header import provenance_of, read_header
from lorarar.lora.layout_tensors import FolderPart
from lorarar.lora.layouts import Layout, layout_named
from lorarar.lora.locations import COMPONENTS, CONFIG, WEIGHTS, AdapterFile, digest_of, locate
from lorarar.lora.scale import Config, scale_of
from lorarar.lora.tensors import read_tensors, save_tensors
from lorarar.util.errors import AdapterError

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@dataclass(frozen=True)
class LoadedFile:
    """The tensors of one file under its own keys; a PEFT folder has one such file for each component."""

    file: AdapterFile
    tensors: dict[str, Tensor]
    metadata: dict[str, str]

    @cached_property
    def parsed(self) -> ParsedKeys:
        """Its tensors by layer and role."""
        return parse_keys(self.tensors, self.file.component)

    @cached_property
    def configs(self) -> dict[str, Config]:
        """PEFT's or diffusers' configuration of each component, by its name.

        Raises:
            AdapterError: it is unsound.
        """
        weights, component, config = self.file
        if config:
            return {component: _json_object(_text(config), config)}
        header = _json_object(self.metadata.get("lora_adapter_metadata", "{}"), f"{weights}: lora_adapter_metadata")
        configs: dict[str, dict[str, Any]] = {}
        for name, value in header.items():
            component, _, key = name.partition(".")
            configs.setdefault(component, {})[key] = value
        return dict(configs)

    def config_of(self, layer: str) -> Config | None:
        """The configuration of a layer's component; None where the file has none."""
        return self.configs.get(layer.partition(".")[0])


def read_adapter(path: str | Path) -> Adapter:
    """Read a LoRA, a file or a PEFT folder, into exact factors, alpha folded in.

    Raises:
        AdapterError: not a sound file, not a LoRA, a half missing, factors that do not fit each other, or
            values that are not finite; the message names file and key.
    """
    return build_adapter(Path(path), load_files(Path(path)))


def load_files(path: Path) -> list[LoadedFile]:
    """Load the tensors of an adapter under the keys of its files.

    Raises:
        AdapterError: a file is missing or not sound.
    """
    return [LoadedFile(file, *read_tensors(file.weights, AdapterError)) for file in locate(path)]


def build_adapter(path: Path, files: list[LoadedFile]) -> Adapter:
    """Build the adapter whose files were loaded from ``path``.

    Raises:
        AdapterError: as ``read_adapter``.
    """
    layers: dict[str, Factors] = {}
    for loaded in files:
        weights = loaded.file.weights
        for key, why in loaded.parsed.unread.items():
            raise AdapterError(f"{weights}: {key} {why}")
        for layer, roles in loaded.parsed.layers.items():
            layers[layer] = _factors(weights, layer, roles, loaded.config_of(layer))
    if not layers:
        raise AdapterError(f"{path} holds no LoRA weights")
    return Adapter(
        layers=dict(sorted(layers.items())),
        name=path.name or path.resolve().name,
        sha256=digest_of(path),
        provenance=first_provenance(files),
        metadata={key: text for loaded in reversed(files) for key, text in loaded.metadata.items()},
    )


def first_provenance(files: list[LoadedFile]) -> dict[str, Any]:
    """The provenance in the first of an adapter's files that has any; else empty."""
    return next(filter(None, (provenance_of(loaded.metadata) for loaded in files)), {})


def read_provenance(path: Path) -> dict[str, Any]:
    """Read the provenance in an adapter's header, without its tensors.

    Raises:
        AdapterError: the file is missing or not sound.
    """
    return provenance_of(read_header(locate(path)[0].weights, AdapterError))


def write_adapter(
    adapter: Adapter, path: str | Path, provenance: Mapping[str, object] | None = None, layout: str = "diffusers"
) -> Path:
    """Write a LoRA that other programs read as it is; it appears whole or not at all.

    Into the header go the provenance, what is carried over of the adapter's own header, and what other programs ask
    of it in this layout. The same adapter and provenance give the same bytes.

    Args:
        adapter: what to write.
        path: a file, or for a layout that is one a folder: that of the UNet, or where text encoders have layers
            too, one with a folder for each component.
        provenance: what made it.
        layout: a name of ``lorarar.lora.layouts.LAYOUTS``.

    Raises:
        AdapterError: the file cannot be written, or ``path`` is a folder that holds something else.
    """
    path = Path(path)
    form = layout_named(layout)
    fields = carried_fields(adapter.metadata) | form.fields_of(adapter)
    if form.folder:
        _write_folder(form, form.tensors_of(adapter), path, provenance or {}, fields)
    else:
        save_tensors(form.tensors_of(adapter), path, provenance or {}, fields)
    return path


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise AdapterError(f"{path} cannot be read: {error}") from None


def _json_object(text: str, what: object) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise AdapterError(f"{what} is not a JSON object")
    return value


def _factors(path: Path, layer: str, roles: Mapping[KeyRole, Tensor], config: Config | None) -> Factors:
    keys: dict[KeyRole, str] = {"down": f"{layer}.lora_A.weight", "up": f"{layer}.lora_B.weight"}
    for role, key in keys.items():
        if role not in roles:
            raise AdapterError(f"{path}: {key} is missing; there is only its {' and '.join(roles)}")
        half = roles[role]
        if half.dtype not in _FLOATS or half.dim() not in (2, 4) or not half.numel():
            raise AdapterError(f"{path}: {key} is no matrix of floats (of 16, 32 or 64 bits)")
        if not all_finite(half):
            raise AdapterError(f"{path}: {key} holds NaN or infinite values")
    down, up = roles["down"], roles["up"]
    if down.shape[0] != up.shape[1] or down.dim() != up.dim() or set(up.shape[2:]) - {1}:
        raise AdapterError(f"{path}: the halves of {layer} do not fit: {tuple(up.shape)} and {tuple(down.shape)}")
    try:
        scale = scale_of(layer, roles, config)
    except AdapterError as error:
        raise AdapterError(f"{path}: {error}") from None
    return Factors(down if scale == 1.0 else (down.float() * scale).to(down.dtype), up)


def _write_folder(
    layout: Layout,
    parts: Mapping[str, FolderPart],
    path: Path,
    provenance: Mapping[str, object],
    fields: Mapping[str, str],
) -> None:
    path = path.resolve()
    check_replaceable(path, layout.name)
    partial, old = (path.with_name(f".{path.name}.{os.getpid()}.{kind}") for kind in ("part", "old"))
    try:
        shutil.rmtree(partial, ignore_errors=True)  # of a killed process of the same id, as is old
        for component, part in parts.items():
            folder = partial if list(parts) == ["unet"] else partial / component
            folder.mkdir(parents=True)
            save_tensors(part.tensors, folder / WEIGHTS[0], provenance, fields)
            text = json.dumps(part.config, indent=2, sort_keys=True) + "\n"
            (folder / CONFIG).write_text(text, encoding="utf-8")
        if path.exists():
            _copy_modes(path, partial)
            shutil.rmtree(old, ignore_errors=True)
            path.rename(old)
        partial.rename(path)
    except OSError as error:
        raise AdapterError(f"cannot write {path}: {error}") from None
    finally:
        if old.exists() and not path.exists():
            old.rename(path)
        shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _copy_modes(old: Path, new: Path) -> None:
    """Give what replaces a folder and its files the permissions of what is replaced."""
    for place in (new, *new.rglob("*")):
        if (replaced := old / place.relative_to(new)).exists():
            shutil.copymode(replaced, place)


def check_replaceable(path: Path, layout: str) -> None:
    """Refuse a place whose replacement would lose anything but a PEFT adapter as it is written here.

    Raises:
        AdapterError: the place is, or holds, something else.
    """
    if path.suffix == ".safetensors":
        raise AdapterError(f"cannot write {path}: layout {layout} is a folder, and this is the name of a file")
    if path.exists() and not path.is_dir():
        raise AdapterError(f"cannot write {path}: layout {layout} is a folder, and this is a file")
    for entry in sorted(path.rglob("*")):
        inside = entry.relative_to(path).parts
        place = inside[1:] if inside[0] in COMPONENTS and not entry.is_symlink() else inside
        if place not in ((), (CONFIG,), (WEIGHTS[0],)):
            raise AdapterError(
                f"cannot write {path}: it holds {Path(*inside)}, which is no part of a PEFT adapter; name a new folder"
            )
