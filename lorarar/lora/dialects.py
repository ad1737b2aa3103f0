"""LoRA dialects: what the keys of a file mean.

Invariant: every key is either understood, giving one role of one layer that no other key gives, or it is
listed as unread with the reason; nothing is dropped and nothing is guessed. Dotted keys are read by
patterns, because diffusers' converters let through what they do not know. Names that kohya's trainer
flattened (``lora_unet_input_blocks_4_1_…``) go one by one through diffusers' own converter, at the price of
its import, and what comes out must be the name of a layer SDXL can have: the converter itself drops one
spelling where a file mixes two, and mangles names it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple

from torch import Tensor

from lorarar.lora.locations import COMPONENTS
from lorarar.util.errors import AdapterError

KeyRole = Literal["down", "up", "alpha"]
Dialect = Literal["attn-procs", "diffusers-old", "diffusers", "peft", "kohya", "kohya-sgm"]
Config = Mapping[str, Any]  # fields of a peft.LoraConfig, as JSON has them

_HALVES: tuple[tuple[Dialect, str, str, str], ...] = (
    ("attn-procs", r"_lora\.%s\.weight", "down", "up"),
    ("diffusers-old", r"\.lora(?:_linear_layer)?\.%s\.weight", "down", "up"),
    ("diffusers", r"\.lora_%s(?:\.\w+)?\.weight", "A", "B"),
)
_DOTTED: tuple[tuple[Dialect, KeyRole, re.Pattern[str]], ...] = (
    *((dialect, "down", re.compile(rf"(.+?){ending % down}")) for dialect, ending, down, _ in _HALVES),
    *((dialect, "up", re.compile(rf"(.+?){ending % up}")) for dialect, ending, _, up in _HALVES),
    ("diffusers-old", "alpha", re.compile(r"(.+?)(?:[._]lora|\.lora_linear_layer)?\.alpha")),
)
_KOHYA = re.compile(r"(lora_(?:unet|te|te1|te2)_\w+)\.(lora_down\.weight|lora_up\.weight|alpha)")
_KOHYA_ROLES: dict[str, KeyRole] = {"lora_down.weight": "down", "lora_up.weight": "up", "alpha": "alpha"}
_SGM = re.compile(r"input_blocks|middle_block|output_blocks")
#: diffusers loses the number of these two on reading; under sgm's names it keeps it.
KOHYA_EMBEDDINGS = {"add_embedding_linear_1": "label_emb_0_0", "add_embedding_linear_2": "label_emb_0_2"}

_FOREIGN = {
    re.compile(pattern): kind
    for pattern, kind in {
        r"hada_": "LoHa",
        r"lokr_": "LoKr",
        r"dora_scale|lora_magnitude_vector": "DoRA",
        r"lora_mid": "LoCon in Tucker form",
        r"\.oft_": "OFT",
        r"\.diff(_b)?$": "a full difference of weights",
        r"^(base_model\.model\.)?(lora_)?transformer[._]|(double|single)_(transformer_)?blocks": "Flux-style",
    }.items()
}
_UNET_ROOTS = ("down_blocks.", "mid_block.", "up_blocks.", "conv_in", "conv_out", "time_embedding.", "add_embedding.")
_TEXT_ROOTS = ("text_model.", "encoder.layers.", "text_projection")
_SDXL_LAYER = re.compile(
    r"unet\.(?:(?:down_blocks\.\d+|mid_block|up_blocks\.\d+)\.(?:"
    r"attentions\.\d+\.(?:proj_in|proj_out|transformer_blocks\.\d+\.(?:attn[12]\.to_(?:[qkv]|out\.0)|ff\.net\.(?:0\.proj|2)))"
    r"|resnets\.\d+\.(?:conv1|conv2|conv_shortcut|time_emb_proj)|(?:down|up)samplers\.0\.conv)"
    r"|conv_in|conv_out|(?:time|add)_embedding\.linear_[12])"
    r"|text_encoder(?:_2)?\.(?:text_model\.encoder\.layers\.\d+\.(?:self_attn\.(?:q|k|v|out)_proj|mlp\.fc[12])|text_projection)"
)


class Key(NamedTuple):
    """A parsed key: its dialect, the layer it belongs to, and the role of its tensor in that layer."""

    dialect: Dialect
    layer: str
    role: KeyRole


@dataclass(frozen=True)
class ParsedKeys:
    """The tensors of a file by layer and role, and the keys that were not understood, each with the reason."""

    layers: dict[str, dict[KeyRole, Tensor]]
    dialects: tuple[Dialect, ...]
    unread: dict[str, str]


class _UnreadError(ValueError):
    """A key that is not understood; the message says why."""


def parse_keys(tensors: Mapping[str, Tensor], component: str = "unet") -> ParsedKeys:
    """Parse the key of every tensor of a file.

    Args:
        tensors: a file's tensors by key.
        component: whose layers they are where keys do not say, one of ``COMPONENTS``.
    """
    layers: dict[str, dict[KeyRole, Tensor]] = {}
    dialects: set[Dialect] = set()
    unread: dict[str, str] = {}
    for name, tensor in tensors.items():
        try:
            key = parse_key(name, component)
            if key.role in layers.get(key.layer, ()):
                raise _UnreadError(f"is a second {key.role} of {key.layer}")
        except _UnreadError as error:
            unread[name] = str(error)
            continue
        layers.setdefault(key.layer, {})[key.role] = tensor
        if key.role != "alpha":
            dialects.add(key.dialect)
    if "kohya-sgm" in dialects:
        dialects.discard("kohya")  # what both spellings share, such as text encoders
    return ParsedKeys(dict(sorted(layers.items())), tuple(sorted(dialects)), unread)


def parse_key(key: str, component: str = "unet") -> Key:
    """Parse one key into dialect, layer and role.

    Raises:
        ValueError: it is not understood; the message says why, for a reader who sees the key before it.
    """
    try:
        flat = _KOHYA.fullmatch(key)
        if flat:
            return Key("kohya-sgm" if _SGM.search(key) else "kohya", _kohya_layer(flat[1]), _KOHYA_ROLES[flat[2]])
        return _dotted(key, component)
    except _UnreadError:
        kind = foreign_kind(key)
        if kind is None:
            raise
        raise _UnreadError(f"is {kind}, which is not read; accepted is LoRA for SDXL") from None


def foreign_kind(key: str) -> str | None:
    """The kind of adapter that a key belongs to, if it is one that is not LoRA for SDXL; else None."""
    return next((kind for pattern, kind in _FOREIGN.items() if pattern.search(key)), None)


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


def _dotted(key: str, component: str) -> Key:
    for dialect, role, pattern in _DOTTED:
        match = pattern.fullmatch(key)
        if match:
            name = match[1].removeprefix("base_model.model.")
            return Key("peft" if name != match[1] else dialect, _layer(name, component), role)
    raise _UnreadError(
        "is not a LoRA key; accepted are ….lora_A.weight and ….lora_B.weight, and the spellings of older diffusers, "
        "PEFT and kohya"
    )


def _layer(name: str, component: str) -> str:
    """Today's diffusers path of a layer, from the older spellings too."""
    name = name.replace(".processor.", ".").replace("unet.unet.", "unet.")
    head, _, rest = name.partition(".")
    component, module = (head, rest) if head in COMPONENTS else (component, name)
    if component == "unet":
        if module.startswith(_TEXT_ROOTS):
            raise _UnreadError(
                "does not say of which text encoder it is; accepted are text_encoder. and text_encoder_2."
            )
        if not module.startswith(_UNET_ROOTS):
            raise _UnreadError("names no layer of SDXL's UNet; accepted is LoRA for SDXL")
        return f"unet.{module}.0" if module.endswith(".to_out") else f"unet.{module}"
    if not module.startswith(_TEXT_ROOTS):
        raise _UnreadError("names no layer of SDXL's text encoders; accepted is LoRA for SDXL")
    # transformers 5 took "text_model" out of one of the two; files, old and new, have it in both
    module = re.sub(r"^encoder\.", "text_model.encoder.", module)
    module = re.sub(r"self_attn\.to_(q|k|v|out)$", r"self_attn.\1_proj", module)
    return f"{component}.{module}"


@lru_cache(maxsize=4096)  # down, up and alpha of a layer share one name
def _kohya_layer(flat: str) -> str:
    """The diffusers path of a layer whose name kohya flattened.

    sgm's numbers assume two layers in a block, as SDXL has.
    """
    from diffusers.loaders import StableDiffusionXLLoraLoaderMixin

    for ours, theirs in KOHYA_EMBEDDINGS.items():
        flat = flat.replace(ours, theirs)
    pair: dict[str, object] = {f"{flat}.lora_down.weight": 0, f"{flat}.lora_up.weight": 0}
    try:
        named, _ = StableDiffusionXLLoraLoaderMixin.lora_state_dict(
            pair, unet_config=SimpleNamespace(layers_per_block=2)
        )
        layer = _dotted(next(iter(named)), "unet").layer
    except (ValueError, LookupError):
        layer = ""
    if not _SDXL_LAYER.fullmatch(layer):
        raise _UnreadError("names no layer of SDXL; accepted is LoRA for SDXL")
    return layer


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
