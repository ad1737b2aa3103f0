"""The scale of a layer's update, from its own alpha or from the configuration of its component."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from lorarar.lora.dialects import KeyRole
from lorarar.util.errors import AdapterError

Config = Mapping[str, Any]  # fields of a peft.LoraConfig, as JSON has them


def alpha_of(layer: str, roles: Mapping[KeyRole, Tensor], config: Config | None) -> float | None:
    """A layer's alpha, from its own tensor, else from its component's configuration; None where neither says.

    Raises:
        AdapterError: what they say is no finite number.
    """
    if "alpha" in roles:
        if roles["alpha"].numel() != 1:
            raise AdapterError(f"alpha of {layer} is no single number")
        return _number(roles["alpha"].item(), f"alpha of {layer}")
    if config is None:
        return None
    alpha = _by_pattern(layer, config, "alpha_pattern", config.get("lora_alpha"))
    return _number(alpha, f"lora_alpha of {layer}")


def scale_of(layer: str, roles: Mapping[KeyRole, Tensor], config: Config | None) -> float:
    """The scale of B A: alpha / rank, alpha / sqrt(rank) for rank-stabilised LoRA, 1 without alpha.

    Raises:
        AdapterError: unsound numbers, a rank other than the configuration's, or a configuration that is
            not of plain LoRA.
    """
    alpha, rank = alpha_of(layer, roles, config), roles["down"].shape[0]
    if config is not None:
        _check_config(config)
        configured = _by_pattern(layer, config, "rank_pattern", config.get("r", rank))
        if configured != rank:
            raise AdapterError(f"{layer} has rank {rank}, its configuration says {configured!r}")
    if alpha is None:
        return 1.0
    stabilised = config is not None and "alpha" not in roles and bool(config.get("use_rslora"))
    return alpha / (float(rank) ** 0.5 if stabilised else rank)


def _check_config(config: Config) -> None:
    kind = config.get("peft_type", "LORA")
    if kind != "LORA":
        raise AdapterError(f"peft_type is {kind!r}; accepted is LORA")
    for flag in ("use_dora", "use_qalora"):
        if config.get(flag):
            raise AdapterError(f"{flag} is set, which is not read; accepted is plain LoRA")


def _by_pattern(layer: str, config: Config, field: str, default: object) -> object:
    """A layer's own value where a pattern names it. PEFT allows regular expressions; a file's are not run."""
    patterns = config.get(field) or {}
    if not isinstance(patterns, dict):
        raise AdapterError(f"{field} is no table of layers")
    module = layer.partition(".")[2]
    names = (module, module.removeprefix("text_model."))
    for pattern, value in patterns.items():
        if not re.fullmatch(r"\^?(\w|\\?\.)+", pattern):
            raise AdapterError(f"{field} has {pattern!r}; accepted are names of layers")
        path = pattern.removeprefix("^").replace("\\", "")
        if path in names or (pattern == path and module.endswith(f".{path}")):
            return value
    return default


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        raise AdapterError(f"{what} is {value!r}; accepted is a finite number")
    return float(value)
