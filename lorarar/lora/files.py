"""Adapters from and to files, and folders of PEFT.

What a file may hold is checked before it is used: a file is untrusted. Read is every dialect of
``lorarar.lora.dialects``, also where it is no plain LoRA (``lorarar.lora.conversion``); written is every layout of
``lorarar.lora.layouts``. A key that is not understood is an error, never dropped. A folder is swapped in whole, but
unlike a file there is a moment, between two renames, in which neither the old nor the new one stands there.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lorarar.families import Family
from lorarar.families.table import COMPONENTS, DENOISERS
from lorarar.lora.adapter import Adapter, widest
from lorarar.lora.carried import carried_fields
from lorarar.lora.conversion.layer import Conversion, stored_dtype
from lorarar.lora.file_layers import check_layers, plain_layers, remarks_on
from lorarar.lora.header import provenance_of, read_header
from lorarar.lora.layout_tensors import FolderPart
from lorarar.lora.layouts import Layout, layout_named
from lorarar.lora.loaded_file import LoadedFile, load_files
from lorarar.lora.locations import CONFIG, WEIGHTS, digest_of, locate
from lorarar.lora.tensors import save_tensors
from lorarar.util.errors import AdapterError
from lorarar.util.messages import message_once

PLAIN = Conversion()


def read_adapter(path: str | Path, conversion: Conversion = PLAIN, family: Family | None = None) -> Adapter:
    """Read a LoRA, a file or a folder, into plain factors, alpha folded in; what has to be known of it is said once.

    Args:
        path: a file, a PEFT folder, or a folder as diffusers saves a LoRA.
        conversion: how what is no plain LoRA is made one.
        family: of the base that it is read for: names that two bases have are this one's.

    Raises:
        AdapterError: not a sound file, not a LoRA, a half missing, factors that do not fit each other, or
            values that are not finite; the message names file and key.
    """
    adapter = build_adapter(Path(path), load_files(Path(path), family), conversion)
    for remark in adapter.remarks:
        message_once(f"{path}: {remark}", "yellow")
    return adapter


def build_adapter(path: Path, files: Sequence[LoadedFile], conversion: Conversion = PLAIN) -> Adapter:
    """Build the adapter whose files were loaded from ``path``.

    Raises:
        AdapterError: as ``read_adapter``.
    """
    checked = check_layers(path, files)
    layers, energy = plain_layers(checked, conversion)
    return Adapter(
        layers=layers,
        name=path.name or path.resolve().name,
        sha256=digest_of(path),
        provenance=first_provenance(files),
        metadata={key: text for loaded in reversed(files) for key, text in loaded.metadata.items()},
        stored=widest(stored_dtype(layer.roles) for layer in checked),
        remarks=remarks_on(checked, energy, conversion, files),
    )


def first_provenance(files: Sequence[LoadedFile]) -> dict[str, Any]:
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

    Every number is rounded once, to the adapter's dtype. Into the header go the provenance, what is carried over of the
    adapter's own header, and what other programs ask of it in this layout. The same adapter and provenance give the
    same bytes.

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
    adapter = adapter.to(adapter.dtype)
    if form.folder:
        _write_folder(form, form.tensors_of(adapter), path, provenance or {}, fields)
    else:
        save_tensors(form.tensors_of(adapter), path, provenance or {}, fields)
    return path


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
            folder = partial if {*parts} <= {*DENOISERS} else partial / component
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
