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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import SimpleNamespace
from typing import Literal, NamedTuple

from torch import Tensor

from lorarar.lora.locations import COMPONENTS
from lorarar.util.registry import Registry

KeyRole = Literal["down", "up", "alpha"]
Parse = Callable[[str], "tuple[KeyRole, str] | None"]  # role and layer of a key; None where it is none of the dialect


@dataclass(frozen=True)
class Dialect:
    """How the keys of a file are spelt: by regular expressions of whole keys, or by a function.

    The only group of an expression, as the layer that a function returns, is the path of a layer as diffusers names it,
    with or without the component before it. A key of several dialects is refused, so each knows its own alone.
    """

    name: str
    down: str = ""  # of A
    up: str = ""  # of B
    alpha: str = ""
    parse: Parse | None = None  # instead of expressions; raises ``ValueError`` with the reason why a key is not read

    @cached_property
    def patterns(self) -> dict[KeyRole, re.Pattern[str]]:
        """The expressions, by role."""
        texts: dict[KeyRole, str] = {"down": self.down, "up": self.up, "alpha": self.alpha}
        return {role: re.compile(text) for role, text in texts.items() if text}

    def role_and_layer(self, key: str) -> tuple[KeyRole, str] | None:
        """The role and the layer of a key; None where it is none of this dialect."""
        if self.parse is not None:
            return self.parse(key)
        for role, pattern in self.patterns.items():
            if match := pattern.fullmatch(key):
                return role, match[1]
        return None


def check_dialect(dialect: Dialect, others: Mapping[str, Dialect]) -> None:
    """Refuse a dialect that can read nothing.

    Raises:
        ValueError: it has neither a function, nor expressions of both halves with one group each.
    """
    if dialect.parse is None and not (dialect.down and dialect.up):
        raise ValueError("it has neither down and up, nor parse")
    if dialect.parse is None and any(pattern.groups != 1 for pattern in dialect.patterns.values()):
        raise ValueError("its expressions have one group each, the layer's path")


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

    dialect: str
    layer: str
    role: KeyRole


@dataclass(frozen=True)
class ParsedKeys:
    """The tensors of a file by layer and role, and the keys that were not understood, each with the reason."""

    layers: dict[str, dict[KeyRole, Tensor]]
    dialects: tuple[str, ...]
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
    dialects: set[str] = set()
    rows = tuple(DIALECTS.values())
    unread: dict[str, str] = {}
    for name, tensor in tensors.items():
        try:
            key = parse_key(name, component, rows)
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


def parse_key(key: str, component: str, dialects: Iterable[Dialect]) -> Key:
    """Parse one key into dialect, layer and role.

    Raises:
        ValueError: no dialect understands it, or several do; the message says why, for a reader who sees the key
            before it.
    """
    understood, reasons = [], []
    for dialect in dialects:
        try:
            if reading := dialect.role_and_layer(key):
                understood.append(Key(dialect.name, _layer(reading[1], component), reading[0]))
        except Exception as error:  # of a key that is its writer's choice, in a function that may be another package's
            reasons.append(str(error) if isinstance(error, _UnreadError) else f"is not read by {dialect.name}: {error}")
    if len(understood) > 1:
        names = " and ".join(one.dialect for one in understood)
        raise _UnreadError(f"is a key of several dialects, {names}; accepted is a key of one")
    if understood:
        return understood[0]
    if kind := foreign_kind(key):
        raise _UnreadError(f"is {kind}, which is not read; accepted is LoRA for SDXL")
    raise _UnreadError(
        next(
            iter(reasons),
            "is not a LoRA key; accepted are ….lora_A.weight and ….lora_B.weight, and the spellings of "
            "older diffusers, PEFT and kohya",
        )
    )


def foreign_kind(key: str) -> str | None:
    """The kind of adapter that a key belongs to, if it is one that is not LoRA for SDXL; else None."""
    return next((kind for pattern, kind in _FOREIGN.items() if pattern.search(key)), None)


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
        dotted = [dialect for dialect in DIALECTS.own.values() if dialect.parse is None]
        layer = parse_key(next(iter(named)), "unet", dotted).layer
    except (ValueError, LookupError):
        layer = ""
    if not _SDXL_LAYER.fullmatch(layer):
        raise _UnreadError("names no layer of SDXL; accepted is LoRA for SDXL")
    return layer


def _kohya(key: str) -> tuple[KeyRole, str] | None:
    """The reading of a key whose layer kohya's trainer flattened, by the names of diffusers' blocks."""
    match = _KOHYA.fullmatch(key)
    return (_KOHYA_ROLES[match[2]], _kohya_layer(match[1])) if match and not _SGM.search(key) else None


def _kohya_sgm(key: str) -> tuple[KeyRole, str] | None:
    """The same by the names of sgm's blocks."""
    match = _KOHYA.fullmatch(key)
    return (_KOHYA_ROLES[match[2]], _kohya_layer(match[1])) if match and _SGM.search(key) else None


_PLAIN = r"(?!base_model\.model\.)"  # what PEFT saves has its keys, whatever follows
_ALPHA = r"(.+?)(?:[._]lora|\.lora_linear_layer)?\.alpha"
_OLD, _NEW = r"\.lora(?:_linear_layer)?\.%s", r"\.lora_%s(?:\.\w+)?"

DIALECTS = Registry(
    "lorarar.dialects",
    Dialect,
    (
        Dialect("kohya", parse=_kohya),
        Dialect("kohya-sgm", parse=_kohya_sgm),
        Dialect("attn-procs", rf"{_PLAIN}(.+?)_lora\.down\.weight", rf"{_PLAIN}(.+?)_lora\.up\.weight"),
        Dialect(
            "diffusers-old",
            rf"{_PLAIN}(.+?){_OLD % 'down'}\.weight",
            rf"{_PLAIN}(.+?){_OLD % 'up'}\.weight",
            rf"{_PLAIN}(?!lora_(?:unet|te|te1|te2)_\w+\.alpha$){_ALPHA}",
        ),
        Dialect("diffusers", rf"{_PLAIN}(.+?){_NEW % 'A'}\.weight", rf"{_PLAIN}(.+?){_NEW % 'B'}\.weight"),
        Dialect(
            "peft",
            rf"base_model\.model\.(.+?)(?:_lora\.down|{_OLD % 'down'}|{_NEW % 'A'})\.weight",
            rf"base_model\.model\.(.+?)(?:_lora\.up|{_OLD % 'up'}|{_NEW % 'B'})\.weight",
            rf"base_model\.model\.{_ALPHA}",
        ),
    ),
    check_dialect,
)
