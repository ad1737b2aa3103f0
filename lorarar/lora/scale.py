"""The scale of a layer's update, from its own alpha or from the configuration of its component."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lorarar.lora.roles import Product, Roles, is_dora, product_of
from lorarar.util.errors import AdapterError

Config = Mapping[str, Any]  # fields of a peft.LoraConfig, as JSON has them, or of PEFT's for LoHa or LoKr

#: Fields of ``peft.LoraConfig``, with which diffusers describes a LoRA in a header.
LORA_FIELDS = frozenset(
    [
        "alora_invocation_tokens",
        "alpha_pattern",
        "arrow_config",
        "auto_mapping",
        "base_model_name_or_path",
        "bias",
        "corda_config",
        "ensure_weight_tying",
        "eva_config",
        "exclude_modules",
        "fan_in_fan_out",
        "inference_mode",
        "init_lora_weights",
        "kasa_config",
        "layer_replication",
        "layers_pattern",
        "layers_to_transform",
        "loftq_config",
        "lora_alpha",
        "lora_bias",
        "lora_dropout",
        "lora_ga_config",
        "megatron_config",
        "megatron_core",
        "modules_to_save",
        "monteclora_config",
        "peft_type",
        "peft_version",
        "qalora_group_size",
        "r",
        "rank_pattern",
        "revision",
        "runtime_config",
        "target_modules",
        "target_parameters",
        "task_type",
        "trainable_token_indices",
        "use_bdlora",
        "use_dora",
        "use_qalora",
        "use_rslora",
        "velora_config",
    ]
)
_PRODUCTS: Mapping[str, Product] = {"LORA": "LoRA", "LOHA": "LoHa", "LOKR": "LoKr"}  # by PEFT's type
_NOT_READ = ("use_qalora", "use_bdlora", "kasa_config", "monteclora_config", "arrow_config", "alora_invocation_tokens")
_CONVERTED = "save it converted (path_initial_model_for_weight_conversion of PEFT's save_pretrained)"
#: Ways to start a LoRA that change the base, by what their names begin with, and what helps.
_CHANGES_BASE = {
    "pissa": _CONVERTED,
    "olora": _CONVERTED,
    "corda": _CONVERTED,
    "lora_ga": _CONVERTED,
    "loftq": "train it on the base as it is",
}
_MOST_PATTERNS, _LONGEST_PATTERN = 5_000, 1_000
_SECONDS = 0.5  # for one expression of a file on one name: far more than any sound one takes


def alpha_of(layer: str, roles: Roles, config: Config | None) -> float | None:
    """A layer's alpha, from its own tensor, else from its component's configuration; None where neither says.

    Raises:
        AdapterError: what they say is no finite number.
    """
    if "alpha" in roles:
        return number_of(layer, roles, "alpha")
    if config is None:
        return None
    field = "lora_alpha" if config.get("peft_type", "LORA") == "LORA" else "alpha"
    return _number(_by_pattern(layer, config, "alpha_pattern", config.get(field)), f"{field} of {layer}")


def scale_of(layer: str, roles: Roles, config: Config | None) -> float:
    """The scale of a layer's update: alpha / rank, alpha / sqrt(rank) for rank-stabilised LoRA, 1 without alpha.

    LyCORIS has none for a LoKr of two whole matrices, of which no rank can be read; PEFT has that too.

    Raises:
        AdapterError: unsound numbers, a rank other than the configuration's, or a configuration of something that
            is not read.
    """
    if config is not None:
        _check_config(layer, roles, config)
    alpha, rank = alpha_of(layer, roles, config), rank_of(roles)
    if config is not None:
        rank = _configured_rank(layer, config, rank)
    scalar = number_of(layer, roles, "scalar") if "scalar" in roles else 1.0
    if alpha is None or rank is None:
        return scalar
    stabilised = config is not None and "alpha" not in roles and bool(config.get("use_rslora"))
    return scalar * alpha / (float(rank) ** 0.5 if stabilised else rank)


def rank_of(roles: Roles) -> int | None:
    """The rank that a layer was trained with, from the shape of the tensor that has it; None where none has."""
    for role in ("down", "hada_w1_b", "lokr_t2", "lokr_w1_b", "lokr_w2_b"):
        if role in roles and roles[role].dim():
            return roles[role].shape[0]
    return None


def number_of(layer: str, roles: Roles, role: str) -> float:
    """The one finite number in a tensor.

    Raises:
        AdapterError: it holds another.
    """
    tensor = next(tensor for name, tensor in roles.items() if name == role)
    if tensor.numel() != 1:
        raise AdapterError(f"{role} of {layer} is no single number")
    return _number(tensor.item(), f"{role} of {layer}")


def _configured_rank(layer: str, config: Config, rank: int | None) -> int | None:
    """The rank of a layer by its configuration, which its tensors, where they tell one, may not contradict."""
    configured = _by_pattern(layer, config, "rank_pattern", config.get("r", rank))
    if rank is None:
        return _whole_number(configured, f"r of {layer}")
    if configured != rank:
        raise AdapterError(f"{layer} has rank {rank}, its configuration says {configured!r}")
    return rank


def _check_config(layer: str, roles: Roles, config: Config) -> None:
    kind, product = config.get("peft_type", "LORA"), product_of(roles)
    if not isinstance(kind, str) or kind not in _PRODUCTS:
        raise AdapterError(f"peft_type is {kind!r}; accepted are {', '.join(_PRODUCTS)}")
    if _PRODUCTS[kind] != product:
        raise AdapterError(f"peft_type is {kind!r}, but {layer} is {product}")
    for flag in _NOT_READ:
        if config.get(flag):
            raise AdapterError(f"{flag} is set, which is not read; accepted is plain LoRA")
    if config.get("use_dora") and not is_dora(roles):
        raise AdapterError(f"use_dora is set, but {layer} has no lora_magnitude_vector")
    start = config.get("init_lora_weights")
    for name, remedy in _CHANGES_BASE.items():
        if isinstance(start, str) and start.lower().startswith(name):
            raise AdapterError(
                f"init_lora_weights is {start!r}, which changes the base, so its update is not that of the LoRA alone; "
                f"{remedy}"
            )


def _by_pattern(layer: str, config: Config, field: str, default: object) -> object:
    """A layer's own value where a pattern names it, by PEFT's rule: an expression that the end of its path matches.

    transformers 5 took "text_model" out of one text encoder's names, and files have it or have it not.
    """
    patterns = config.get(field) or {}
    if not isinstance(patterns, dict):
        raise AdapterError(f"{field} is no table of layers")
    if len(patterns) > _MOST_PATTERNS or any(len(key) > _LONGEST_PATTERN for key in patterns):
        raise AdapterError(
            f"{field} is larger than any model needs; accepted are {_MOST_PATTERNS:,} expressions of "
            f"{_LONGEST_PATTERN:,} characters"
        )
    module = layer.partition(".")[2]
    names = dict.fromkeys((module, module.removeprefix("text_model.")))
    return next(
        (value for key, value in patterns.items() if any(_matches(field, key, name) for name in names)), default
    )


@lru_cache(maxsize=65536)
def _matches(field: str, key: str, name: str) -> bool:
    """Whether an expression of a file, which is untrusted, matches a name; it may not take long about it."""
    import regex

    try:
        return regex.match(rf"(.*\.)?({key})$", name, timeout=_SECONDS) is not None
    except regex.error as error:
        raise AdapterError(f"{field} has {key!r}, which is no regular expression: {error}") from None
    except TimeoutError:
        raise AdapterError(
            f"{field} has {key!r}, which takes too long to match; accepted are names of layers"
        ) from None


def _whole_number(value: object, what: str) -> int:
    number = _number(value, what)
    if number < 1 or number != int(number):
        raise AdapterError(f"{what} is {value!r}; accepted is a whole number from 1 on")
    return int(number)


def _number(value: object, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise AdapterError(f"{what} is {value!r}; accepted is a finite number")
    return float(value)
