"""The one table of layouts an adapter is written in: our rows, and those of other packages.

Nothing heavy loads with it. A layout is one file of tensors, or a folder with a file and a configuration for each
component; whatever is written is read back by a dialect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import Any

from lorarar.util.errors import AdapterError
from lorarar.util.registry import Registry
from lorarar.util.suggestion import did_you_mean


@dataclass(frozen=True)
class Layout:
    """How an adapter is written.

    ``tensors`` is a function of an ``Adapter``. For a layout that is a file it returns the tensors by key; for one
    that is a folder, by component a ``FolderPart`` of tensors and configuration.
    """

    name: str
    help: str
    tensors: str | Callable[..., Any]  # the function, or its place ``module:function``
    folder: bool = False
    fields: str | Callable[..., Any] | None = None  # a function of an ``Adapter``: what its header says to others

    @property
    def ending(self) -> str:
        """What the name of a merge ends in."""
        return "" if self.folder else ".safetensors"

    def tensors_of(self, adapter: Any) -> Any:
        """The tensors of an adapter in this layout; their libraries load with the call."""
        return _call(self.tensors, adapter)

    def fields_of(self, adapter: Any) -> dict[str, str]:
        """The fields of an adapter's header in this layout, beside its provenance."""
        return _call(self.fields, adapter) if self.fields else {}


def _call(function: str | Callable[..., Any], adapter: Any) -> Any:
    """Call a function, or the one that is at a place."""
    return (resolve_name(function) if isinstance(function, str) else function)(adapter)


_HOME, _FIELDS = "lorarar.lora.layout_tensors", "lorarar.lora.tool_fields"

LAYOUTS = Registry(
    "lorarar.layouts",
    Layout,
    (
        Layout("diffusers", "a file with the keys of diffusers", f"{_HOME}:diffusers_tensors"),
        Layout(
            "kohya",
            "a file for ComfyUI, A1111, Forge and diffusers",
            f"{_HOME}:kohya_tensors",
            fields=f"{_FIELDS}:kohya_fields",
        ),
        Layout("comfy", "a file with ComfyUI's own keys", f"{_HOME}:comfy_tensors", fields=f"{_FIELDS}:comfy_fields"),
        Layout("peft", "a folder that PEFT loads", f"{_HOME}:peft_parts", folder=True),
    ),
)


def layout_named(name: str) -> Layout:
    """Find the layout of that name.

    Raises:
        AdapterError: no layout has that name; the message lists all.
    """
    if name not in LAYOUTS:
        folders = [row.name for row in LAYOUTS.values() if row.folder]
        kinds = f"{', '.join(folders)} {'is a folder' if len(folders) == 1 else 'are folders'}"
        raise AdapterError(
            f"layout is {name!r}; accepted are {', '.join(LAYOUTS)}, of which {kinds}{did_you_mean(name, LAYOUTS)}"
        )
    return LAYOUTS[name]
