"""The tensors of an adapter's files under their own keys, and the configurations that come with them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from lorarar.families import Family
from lorarar.families.table import COMPONENTS
from lorarar.lora.dialects import ParsedKeys, parse_keys
from lorarar.lora.locations import AdapterFile, locate
from lorarar.lora.scale import LORA_FIELDS, Config
from lorarar.lora.tensors import read_tensors
from lorarar.util.errors import AdapterError

HEADER_CONFIG = "lora_adapter_metadata"  # diffusers' key for a LoRA's configuration in the header


@dataclass(frozen=True)
class LoadedFile:
    """The tensors of one file under its own keys; a PEFT folder has one such file for each component."""

    file: AdapterFile
    tensors: dict[str, Tensor]
    metadata: dict[str, str]
    family: Family | None = None  # of the base that it is read for

    @cached_property
    def parsed(self) -> ParsedKeys:
        """Its tensors by layer and role."""
        return parse_keys(self.tensors, self.file.component, self.family)

    @cached_property
    def configs(self) -> dict[str, Config]:
        """PEFT's or diffusers' configuration of each component, by its name.

        Raises:
            AdapterError: it is unsound.
        """
        weights, component, config = self.file
        if config:
            return {self._component(component): _json_object(_text(config), config)}
        what = f"{weights}: {HEADER_CONFIG}"
        return header_configs(_json_object(self.metadata.get(HEADER_CONFIG, "{}"), what), what)

    def _component(self, component: str) -> str:
        """The component of its layers: what a folder takes for a UNet's may be a transformer's."""
        return self.parsed.names.component if self.parsed.names and component == "unet" else component

    def config_of(self, layer: str) -> Config | None:
        """The configuration of a layer's component; None where the file has none."""
        return self.configs.get(layer.partition(".")[0])


def load_files(path: Path, family: Family | None = None) -> list[LoadedFile]:
    """Load the tensors of an adapter under the keys of its files.

    Args:
        path: of its file or folder.
        family: of the base that it is read for, where one is named.

    Raises:
        AdapterError: a file is missing or not sound.
    """
    return [LoadedFile(file, *read_tensors(file.weights, AdapterError), family) for file in locate(path)]


def header_configs(header: dict[str, Any], what: str) -> dict[str, Config]:
    """The configuration of each component in a header of diffusers.

    A pipeline writes the component before every field; a model that is saved alone does not: then they are for all.

    Raises:
        AdapterError: a field that says something is neither of a component nor one of PEFT's.
    """
    plain: dict[str, Any] = {}
    configs: dict[str, dict[str, Any]] = {}
    for name, value in header.items():
        component, dot, field = name.partition(".")
        if dot and component in COMPONENTS:
            configs.setdefault(component, {})[field] = value
        elif name in LORA_FIELDS:
            plain[name] = value
        elif value:
            accepted = ", ".join(f"{component}." for component in COMPONENTS)
            raise AdapterError(
                f"{what} has {name!r}; accepted are fields of PEFT's LoraConfig, alone or behind {accepted}"
            )
    if plain:
        return {component: {**plain, **configs.get(component, {})} for component in COMPONENTS}
    return dict(configs)


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
